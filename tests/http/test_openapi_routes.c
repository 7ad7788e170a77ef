/* The contract's paths are the routes of the server, with the same parameters and bodies. */
#include <check.h>
#include <string.h>

#include "server/api/routes.h"
#include "tests/support/contract.h"
#include "tests/support/suite.h"

static const json_t *find_operation(const struct route *route, const json_t **item)
{
    const char *key;
    json_t *operation;
    *item = contract_at(contract_at(contract.document, "paths"), route->pattern);
    json_object_foreach((json_t *)*item, key, operation)
        if (contract_method(key) != NULL && strcmp(contract_method(key), route->method) == 0)
            return operation;
    ck_abort_msg("the contract lacks %s %s", route->method, route->pattern);
    return NULL;
}

static size_t count_query_parameters(const json_t *owner)
{
    size_t index, count = 0;
    json_t *parameter;
    json_array_foreach((json_t *)contract_at(owner, "parameters"), index, parameter)
        count += contract_is_in(contract_resolve(parameter), "query");
    return count;
}

/* The query's parameters stand with the operation, not with the path. */
static void check_query(const struct route *route, const json_t *item, const json_t *operation)
{
    size_t count = 0;
    for (; route->query != NULL && route->query[count] != NULL; count++) {
        const json_t *parameter = contract_parameter(operation, route->query[count]);
        ck_assert_msg(parameter != NULL && contract_is_in(parameter, "query"),
                      "%s %s: no parameter %s", route->method, route->pattern, route->query[count]);
    }
    ck_assert_uint_eq(count, count_query_parameters(operation));
    ck_assert_uint_eq(count_query_parameters(item), 0);
}

static void check_types(const struct route *route, const json_t *operation)
{
    const json_t *content = contract_request_content(operation);
    const bool has_json = contract_at(content, "application/json") != NULL;
    const bool has_npy = contract_at(content, "application/x-npy") != NULL;
    const bool takes_array = route->body == BODY_ARRAY;
    const bool takes_json = takes_array || route->body == BODY_JSON;
    if (content == NULL && route->body == BODY_JSON) /* the body is ignored */
        return;
    ck_assert_msg((content != NULL) == (route->body != BODY_NONE) && has_json == takes_json &&
                      has_npy == takes_array,
                  "%s %s: other types of bodies are taken", route->method, route->pattern);
}

static size_t operations_count;

static void count_operation(const char *path, const char *method, const json_t *item,
                            const json_t *operation)
{
    (void)path;
    (void)method;
    (void)item;
    (void)operation;
    operations_count++;
}

/* The table has no route twice, so equal counts mean the same operations. */
START_TEST(paths_are_the_routes)
{
    const json_t *item;
    for (size_t i = 0; i < routes_count; i++) {
        const json_t *operation = find_operation(&routes[i], &item);
        check_query(&routes[i], item, operation);
        check_types(&routes[i], operation);
    }
    operations_count = 0;
    contract_each_operation(count_operation);
    ck_assert_uint_eq(operations_count, routes_count);
}
END_TEST

int main(void)
{
    contract_read();
    Suite *suite = suite_create("openapi_routes");
    TCase *paths = tcase_create("paths");
    tcase_add_test(paths, paths_are_the_routes);
    suite_add_tcase(suite, paths);
    const int status = suite_run(suite);
    contract_finish();
    return status;
}
