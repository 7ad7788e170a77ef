#include "tests/support/contract.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/yaml_json.h"

struct contract contract;

/* Like ck_assert_msg(), which must not be called before the tests run. */
static void demand(bool is_met, const char *what, const char *name)
{
    if (is_met)
        return;
    fprintf(stderr, "openapi.yaml: %s: %s\n", name, what);
    exit(EXIT_FAILURE);
}

const json_t *contract_at(const json_t *value, const char *key)
{
    return json_object_get(value, key);
}

const char *contract_text(const json_t *value, const char *key)
{
    return json_string_value(contract_at(value, key));
}

const json_t *contract_resolve(const json_t *value)
{
    char kind[32], name[64];
    const char *reference = contract_text(value, "$ref");
    if (reference == NULL)
        return value;
    demand(sscanf(reference, "#/components/%31[^/]/%63s", kind, name) == 2, "is not a reference",
           reference);
    const json_t *components = contract_at(contract.document, "components");
    const json_t *found = contract_at(contract_at(components, kind), name);
    demand(found != NULL, "is not there", reference);
    return found;
}

const char *contract_method(const char *key)
{
    static const char *const names[][2] = {
        {"get", "GET"}, {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], key) == 0)
            return names[i][1];
    return NULL;
}

void contract_each_operation(void (*visit)(const char *path, const char *method, const json_t *item,
                                           const json_t *operation))
{
    const char *path, *key;
    json_t *item, *operation;
    json_object_foreach((json_t *)contract_at(contract.document, "paths"), path, item)
        json_object_foreach(item, key, operation)
            if (contract_method(key) != NULL)
                visit(path, contract_method(key), item, operation);
}

const json_t *contract_request_content(const json_t *operation)
{
    return contract_at(contract_at(operation, "requestBody"), "content");
}

const json_t *contract_parameter(const json_t *owner, const char *name)
{
    size_t index;
    json_t *parameter;
    json_array_foreach((json_t *)contract_at(owner, "parameters"), index, parameter)
        if (strcmp(contract_text(contract_resolve(parameter), "name"), name) == 0)
            return contract_resolve(parameter);
    return NULL;
}

bool contract_is_in(const json_t *parameter, const char *place)
{
    return strcmp(contract_text(parameter, "in"), place) == 0;
}

const struct exchange *contract_exchange(const char *name)
{
    for (int i = 0; i < contract.count; i++)
        if (strcmp(contract.exchanges[i].name, name) == 0)
            return &contract.exchanges[i];
    ck_abort_msg("there is no exchange %s", name);
    return NULL;
}

/* --- the exchanges --- */

/* The request's example of the same name, and its type. */
static void find_request(struct exchange *exchange, const char *name)
{
    const char *type;
    json_t *media;
    json_object_foreach((json_t *)contract_request_content(exchange->operation), type, media) {
        const json_t *example = contract_at(contract_at(media, "examples"), name);
        if (example == NULL)
            continue;
        exchange->request = example;
        exchange->request_type = type;
        return;
    }
}

static void set_request(struct exchange *exchange, const char *name)
{
    const json_t *own = contract_at(exchange->answer, "x-request");
    if (own == NULL) {
        find_request(exchange, name);
        return;
    }
    const char *type = contract_text(own, "type");
    exchange->request = own;
    exchange->request_type = type != NULL ? type : "application/json";
}

static void add_examples(struct exchange exchange, const json_t *examples)
{
    const char *name;
    json_t *example;
    json_object_foreach((json_t *)examples, name, example) {
        demand(contract.count < CONTRACT_EXCHANGES, "one exchange too many", name);
        exchange.answer = example;
        exchange.request = NULL;
        exchange.request_type = NULL;
        snprintf(exchange.name, CONTRACT_NAME, "%s/%s",
                 contract_text(exchange.operation, "operationId"), name);
        set_request(&exchange, name);
        contract.exchanges[contract.count++] = exchange;
    }
}

static void add_exchanges(const char *path, const char *method, const json_t *item,
                          const json_t *operation)
{
    const char *status, *type;
    json_t *response, *media;
    struct exchange exchange = {
        .path = path, .method = method, .item = item, .operation = operation};
    json_object_foreach((json_t *)contract_at(operation, "responses"), status, response) {
        exchange.response = contract_resolve(response);
        exchange.status = strtol(status, NULL, 10);
        exchange.type = NULL;
        add_examples(exchange, contract_at(exchange.response, "x-examples"));
        json_object_foreach((json_t *)contract_at(exchange.response, "content"), type, media) {
            exchange.type = type;
            add_examples(exchange, contract_at(media, "examples"));
        }
    }
}

void contract_read(void)
{
    size_t room = 0;
    FILE *file = fopen("openapi.yaml", "r");
    demand(file != NULL, "can't be opened", "the file");
    const ssize_t size = getdelim(&contract.text, &room, '\0', file);
    fclose(file);
    demand(size > 0, "can't be read", "the file");
    contract.size = (size_t)size;
    contract.document = yaml_load(contract.text, contract.size);
    contract_each_operation(add_exchanges);
}

void contract_finish(void)
{
    json_decref(contract.document);
    free(contract.text);
}
