/* The contract, openapi.yaml, against the service: its paths are the routes, its problem codes are
 * ours, and its examples are exchanges that the real server repeats.
 *
 * An exchange is an example of a response, together with the request's example of the same name.
 * Its extensions are told in the contract's own description. */
#include <check.h>
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/base64.h>

#include "server/api/routes.h"
#include "server/base/problem.h"
#include "tests/support/files.h"
#include "tests/support/http.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"
#include "tests/support/yaml_json.h"

enum { EXCHANGES_MOST = 256, NAME = 96, TARGET = 512, HEADERS_MOST = 4 };

struct exchange {
    char name[NAME]; /* "operationId/example" */
    const char *path;
    const char *method;
    long status;
    const char *type;   /* NULL: the answer has no body */
    const json_t *item; /* of the path */
    const json_t *operation;
    const json_t *response;
    const json_t *request; /* the request's example, or NULL */
    const char *request_type;
    const json_t *answer; /* the response's */
};

struct contract {
    char *text;
    size_t size;
    json_t *document;
    struct exchange exchanges[EXCHANGES_MOST];
    int count;
};

static struct contract contract; /* read once, before the tests */

/* --- reading the contract --- */

/* Like ck_assert_msg(), which must not be called before the tests run. */
static void demand(bool is_met, const char *what, const char *name)
{
    if (is_met)
        return;
    fprintf(stderr, "openapi.yaml: %s: %s\n", name, what);
    exit(EXIT_FAILURE);
}

static const json_t *at(const json_t *value, const char *key)
{
    return json_object_get(value, key);
}

static const char *text_at(const json_t *value, const char *key)
{
    return json_string_value(at(value, key));
}

/* What a $ref names, "#/components/KIND/NAME", or the value itself. */
static const json_t *resolve(const json_t *value)
{
    char kind[32], name[64];
    const char *reference = text_at(value, "$ref");
    if (reference == NULL)
        return value;
    demand(sscanf(reference, "#/components/%31[^/]/%63s", kind, name) == 2, "is no reference",
           reference);
    const json_t *found = at(at(at(contract.document, "components"), kind), name);
    demand(found != NULL, "is not there", reference);
    return found;
}

static const char *method_of(const char *key)
{
    static const char *const names[][2] = {
        {"get", "GET"}, {"post", "POST"}, {"put", "PUT"}, {"patch", "PATCH"}, {"delete", "DELETE"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], key) == 0)
            return names[i][1];
    return NULL;
}

static void each_operation(void (*visit)(const char *path, const char *method, const json_t *item,
                                         const json_t *operation))
{
    const char *path, *key;
    json_t *item, *operation;
    json_object_foreach((json_t *)at(contract.document, "paths"), path, item)
        json_object_foreach(item, key, operation)
            if (method_of(key) != NULL)
                visit(path, method_of(key), item, operation);
}

static const json_t *request_content(const json_t *operation)
{
    return at(at(operation, "requestBody"), "content");
}

/* The request's example of this name, and the type that it is of. */
static const json_t *find_request(const json_t *operation, const char *name, const char **ret_type)
{
    const char *type;
    json_t *media;
    json_object_foreach((json_t *)request_content(operation), type, media) {
        const json_t *example = at(at(media, "examples"), name);
        *ret_type = type;
        if (example != NULL)
            return example;
    }
    return NULL;
}

static void add_examples(struct exchange exchange, const json_t *examples)
{
    const char *name;
    json_t *example;
    json_object_foreach((json_t *)examples, name, example) {
        demand(contract.count < EXCHANGES_MOST, "one exchange too many", name);
        snprintf(exchange.name, NAME, "%s/%s", text_at(exchange.operation, "operationId"), name);
        exchange.request = find_request(exchange.operation, name, &exchange.request_type);
        exchange.answer = example;
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
    json_object_foreach((json_t *)at(operation, "responses"), status, response) {
        exchange.response = resolve(response);
        exchange.status = strtol(status, NULL, 10);
        exchange.type = NULL;
        add_examples(exchange, at(exchange.response, "x-examples"));
        json_object_foreach((json_t *)at(exchange.response, "content"), type, media) {
            exchange.type = type;
            add_examples(exchange, at(media, "examples"));
        }
    }
}

static void read_contract(void)
{
    size_t room = 0;
    FILE *file = fopen("openapi.yaml", "r");
    demand(file != NULL, "can't be opened", "the file");
    const ssize_t size = getdelim(&contract.text, &room, '\0', file);
    fclose(file);
    demand(size > 0, "can't be read", "the file");
    contract.size = (size_t)size;
    contract.document = yaml_load(contract.text, contract.size);
    each_operation(add_exchanges);
}

/* --- the parts --- */

static struct bytes read_file(const char *path)
{
    char buffer[4096];
    struct bytes bytes = {0};
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s can't be opened", path);
    for (size_t size; (size = fread(buffer, 1, sizeof buffer, file)) > 0;)
        bytes_add(&bytes, buffer, size);
    fclose(file);
    return bytes;
}

/* An edit of only one of the two, the parts or the document, is found here. */
START_TEST(parts_make_the_document)
{
    glob_t parts;
    size_t joined = 0;
    ck_assert_int_eq(glob("openapi/*.yaml", 0, NULL, &parts), 0);
    for (size_t i = 0; i < parts.gl_pathc; i++) {
        struct bytes part = read_file(parts.gl_pathv[i]);
        ck_assert_msg(part.size <= contract.size - joined &&
                          memcmp(contract.text + joined, part.at, part.size) == 0,
                      "%s is not what openapi.yaml holds: edit the part, then run make openapi",
                      parts.gl_pathv[i]);
        joined += part.size;
        bytes_finish(&part);
    }
    ck_assert_uint_eq(joined, contract.size);
    globfree(&parts);
}
END_TEST

/* --- parameters --- */

/* The parameter of this name in the operation, or in its path. */
static const json_t *parameter_in(const json_t *owner, const char *name)
{
    size_t index;
    json_t *parameter;
    json_array_foreach((json_t *)at(owner, "parameters"), index, parameter)
        if (strcmp(text_at(resolve(parameter), "name"), name) == 0)
            return resolve(parameter);
    return NULL;
}

static const json_t *find_parameter(const struct exchange *exchange, const char *name)
{
    const json_t *parameter = parameter_in(exchange->operation, name);
    return parameter != NULL ? parameter : parameter_in(exchange->item, name);
}

/* Where the contract does not know it, it is one of the query's: meant to be refused. */
static bool is_in(const json_t *parameter, const char *place)
{
    return strcmp(parameter != NULL ? text_at(parameter, "in") : "query", place) == 0;
}

/* A string as it is, anything else as JSON; free() */
static char *value_text(const json_t *value)
{
    if (json_is_string(value))
        return strdup(json_string_value(value));
    return json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(9));
}

static void append(char target[TARGET], const char *text, size_t size)
{
    const size_t before = strlen(target);
    ck_assert_uint_lt(before + size, TARGET);
    memcpy(target + before, text, size);
    target[before + size] = '\0';
}

static void append_text(char target[TARGET], const char *text)
{
    append(target, text, strlen(text));
}

static void append_encoded(char target[TARGET], const char *text)
{
    char code[4];
    for (; *text != '\0'; text++) {
        snprintf(code, sizeof code, "%%%02X", (unsigned char)*text);
        append_text(target, isalnum((unsigned char)*text) ? (char[]){*text, '\0'} : code);
    }
}

/* Puts the exchange's own values, or the parameters' examples, in the place of {names}. */
static void fill_path(const struct exchange *exchange, char target[TARGET])
{
    char name[32];
    for (const char *rest = exchange->path; *rest != '\0';) {
        const size_t plain = strcspn(rest, "{");
        append(target, rest, plain);
        rest += plain;
        if (sscanf(rest, "{%31[^}]}", name) != 1)
            continue;
        const json_t *parameter = find_parameter(exchange, name);
        ck_assert_msg(parameter != NULL, "%s: no parameter %s", exchange->name, name);
        const json_t *given = at(at(exchange->answer, "x-parameters"), name);
        char *text = value_text(given != NULL ? given : at(parameter, "example"));
        append_text(target, text);
        free(text);
        rest = strchr(rest, '}') + 1;
    }
}

/* Header lines; what is behind them is NULL. */
struct lines {
    char *line[HEADERS_MOST + 1];
    int count;
};

static void add_line(struct lines *lines, const char *name, const char *value)
{
    const size_t size = strlen(name) + strlen(value) + sizeof ": ";
    char *line = malloc(size);
    ck_assert(lines->count < HEADERS_MOST && line != NULL);
    snprintf(line, size, "%s: %s", name, value);
    lines->line[lines->count++] = line;
}

static void lines_finish(struct lines *lines)
{
    while (lines->count > 0)
        free(lines->line[--lines->count]);
}

/* Adds the query, and the parameters that are headers. */
static void fill_rest(const struct exchange *exchange, char target[TARGET], struct lines *lines)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)at(exchange->answer, "x-parameters"), name, value) {
        const json_t *parameter = find_parameter(exchange, name);
        char *text = value_text(value);
        if (is_in(parameter, "query")) {
            append_text(target, strchr(target, '?') == NULL ? "?" : "&");
            append_text(target, name);
            append_text(target, "=");
            append_encoded(target, text);
        } else if (is_in(parameter, "header")) {
            add_line(lines, name, text);
        }
        free(text);
    }
}

static bool is_type(const char *type, const char *name)
{
    return type != NULL && strcmp(type, name) == 0;
}

/* JSON is sent as a plain curl -d sends it, and an answer of another type is asked for. */
static void add_headers(const struct exchange *exchange, struct lines *lines)
{
    const char *name;
    json_t *value;
    if (exchange->request != NULL && !is_type(exchange->request_type, "application/json"))
        add_line(lines, "Content-Type", exchange->request_type);
    if (is_type(exchange->type, "application/x-npy"))
        add_line(lines, "Accept", exchange->type);
    json_object_foreach((json_t *)at(exchange->answer, "x-headers"), name, value)
        add_line(lines, name, json_string_value(value));
}

/* --- bodies --- */

static struct bytes decode(const char *name, const char *text)
{
    struct base64_decode_ctx context;
    struct bytes bytes = {.size = BASE64_DECODE_LENGTH(strlen(text))};
    bytes.at = malloc(bytes.size + 1);
    ck_assert_ptr_nonnull(bytes.at);
    base64_decode_init(&context);
    ck_assert_msg(base64_decode_update(&context, &bytes.size, bytes.at, strlen(text), text) == 1 &&
                      base64_decode_final(&context) == 1,
                  "%s is not in base64", name);
    return bytes;
}

/* What an example says the body is. */
static struct bytes body_of(const char *name, const json_t *example)
{
    const char *text = text_at(example, "x-body");
    if (text_at(example, "x-body-base64") != NULL)
        return decode(name, text_at(example, "x-body-base64"));
    if (at(example, "value") == NULL)
        return text != NULL ? bytes_of(text, strlen(text)) : (struct bytes){0};
    char *json = json_dumps(at(example, "value"), JSON_ENCODE_ANY);
    const struct bytes bytes = bytes_of(json, strlen(json));
    free(json);
    return bytes;
}

/* --- exchanging --- */

static struct http_answer ask(const struct service *service, const struct exchange *exchange)
{
    char target[TARGET] = "";
    struct lines lines = {0};
    struct bytes body = body_of(exchange->name, exchange->request);
    fill_path(exchange, target);
    fill_rest(exchange, target, &lines);
    add_headers(exchange, &lines);
    const struct http_answer answer =
        http_send_bytes(service, exchange->method, target, &body, lines.line[0], lines.line[1],
                        lines.line[2], lines.line[3], NULL);
    lines_finish(&lines);
    bytes_finish(&body);
    ck_assert_msg(answer.status == exchange->status, "%s: %ld, not %ld: %s", exchange->name,
                  answer.status, exchange->status, answer.body);
    return answer;
}

static const struct exchange *find_exchange(const char *name)
{
    for (int i = 0; i < contract.count; i++)
        if (strcmp(contract.exchanges[i].name, name) == 0)
            return &contract.exchanges[i];
    ck_abort_msg("there is no exchange %s", name);
    return NULL;
}

static void ask_what_comes_before(const struct service *service, const struct exchange *exchange)
{
    size_t index;
    json_t *name;
    const json_t *names = at(exchange->answer, "x-after");
    if (names == NULL)
        names = at(exchange->operation, "x-after");
    json_array_foreach((json_t *)names, index, name) {
        struct http_answer answer = ask(service, find_exchange(json_string_value(name)));
        http_answer_finish(&answer);
    }
}

/* --- comparing --- */

/* "2026-11-24T09:01:56.123Z" */
static bool is_time(const char *text)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    if (text == NULL || strlen(text) != strlen(shape))
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++)
        if (shape[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != shape[i])
            return false;
    return true;
}

static bool is_request_id(const char *text)
{
    return text != NULL && strlen(text) == 16 && strspn(text, "0123456789abcdef") == 16;
}

/* Whether both are new each time, and of the same form. */
static bool is_settled(const char *key, const char *expected, const char *actual)
{
    return (is_time(expected) && is_time(actual)) ||
           (strcmp(key, "request_id") == 0 && is_request_id(actual));
}

/* Makes what is new each time the same in both. */
static void settle(json_t *expected, json_t *actual)
{
    const char *key;
    size_t index;
    json_t *value;
    json_object_foreach(expected, key, value) {
        if (is_settled(key, json_string_value(value), text_at(actual, key)))
            json_object_set(actual, key, value);
        else
            settle(value, json_object_get(actual, key));
    }
    json_array_foreach(expected, index, value)
        settle(value, json_array_get(actual, index));
}

static void settle_varying(const struct exchange *exchange, json_t *expected, json_t *actual)
{
    size_t index;
    json_t *name;
    json_array_foreach((json_t *)at(exchange->answer, "x-varies"), index, name) {
        const char *key = json_string_value(name);
        ck_assert_msg(json_object_get(actual, key) != NULL, "%s: no %s", exchange->name, key);
        json_object_set(actual, key, json_object_get(expected, key));
    }
}

static void compare_bytes(const struct exchange *exchange, const struct http_answer *answer)
{
    char *text = calloc(BASE64_ENCODE_RAW_LENGTH(answer->size) + 1, 1);
    ck_assert_ptr_nonnull(text);
    base64_encode_raw(text, answer->size, (const uint8_t *)answer->body);
    ck_assert_msg(strcmp(text, text_at(exchange->answer, "x-body-base64")) == 0,
                  "%s:\n%s\nis not\n%s", exchange->name, text,
                  text_at(exchange->answer, "x-body-base64"));
    free(text);
}

static void compare_body(const struct exchange *exchange, struct http_answer *answer)
{
    json_t *expected = json_object_get(exchange->answer, "value");
    if (exchange->type == NULL) {
        ck_assert_uint_eq(answer->size, 0);
        return;
    }
    if (at(exchange->answer, "x-body-base64") != NULL) {
        compare_bytes(exchange, answer);
        return;
    }
    if (expected == NULL) { /* the contract itself */
        ck_assert_str_eq(text_at(exchange->answer, "externalValue"), "openapi.yaml");
        ck_assert_uint_eq(answer->size, contract.size);
        ck_assert_mem_eq(answer->body, contract.text, contract.size);
        return;
    }
    settle(expected, answer->json);
    settle_varying(exchange, expected, answer->json);
    char *text = json_dumps(expected, JSON_ENCODE_ANY);
    ck_assert_msg(json_equal(expected, answer->json), "%s:\n%s\nis not\n%s", exchange->name,
                  answer->body, text);
    free(text);
}

/* Each header that the contract promises is there. */
static void compare_headers(const struct exchange *exchange, const struct http_answer *answer)
{
    const char *name;
    json_t *header;
    ck_assert_pstr_eq(http_header(answer, "content-type"), exchange->type);
    json_object_foreach((json_t *)at(exchange->response, "headers"), name, header) {
        char lower[NAME] = "";
        for (size_t i = 0; name[i] != '\0' && i < NAME - 1; i++)
            lower[i] = (char)tolower((unsigned char)name[i]);
        ck_assert_msg(http_header(answer, lower) != NULL, "%s: no %s", exchange->name, name);
    }
}

START_TEST(example_is_a_real_exchange)
{
    struct service service;
    const struct exchange *exchange = &contract.exchanges[_i];
    service_start(&service, NULL);
    ask_what_comes_before(&service, exchange);
    struct http_answer answer = ask(&service, exchange);
    compare_headers(exchange, &answer);
    compare_body(exchange, &answer);
    http_answer_finish(&answer);
    service_finish(&service);
}
END_TEST

/* --- routes --- */

static int operations_count;

static void count_operation(const char *path, const char *method, const json_t *item,
                            const json_t *operation)
{
    (void)item;
    ck_assert_msg(text_at(operation, "operationId") != NULL, "%s %s", method, path);
    operations_count++;
}

static const json_t *find_operation(const struct route *route, const json_t **item)
{
    const char *key;
    json_t *operation;
    *item = at(at(contract.document, "paths"), route->pattern);
    json_object_foreach((json_t *)*item, key, operation)
        if (method_of(key) != NULL && strcmp(method_of(key), route->method) == 0)
            return operation;
    ck_abort_msg("the contract lacks %s %s", route->method, route->pattern);
    return NULL;
}

static size_t count_query_parameters(const json_t *owner)
{
    size_t index, count = 0;
    json_t *parameter;
    json_array_foreach((json_t *)at(owner, "parameters"), index, parameter)
        count += is_in(resolve(parameter), "query");
    return count;
}

/* The types of a body are those that the route takes. */
static void check_types(const struct route *route, const json_t *operation)
{
    const json_t *content = request_content(operation);
    const bool has_json = at(content, "application/json") != NULL;
    const bool has_npy = at(content, "application/x-npy") != NULL;
    const bool takes_array = route->body == BODY_ARRAY;
    const bool takes_json = takes_array || route->body == BODY_JSON;
    if (content == NULL && route->body == BODY_JSON) /* which is ignored */
        return;
    ck_assert_msg((content != NULL) == (route->body != BODY_NONE) && has_json == takes_json &&
                      has_npy == takes_array,
                  "%s %s: other types of bodies are taken", route->method, route->pattern);
}

/* No route is there twice, so as many operations as routes are the same ones. */
START_TEST(paths_are_the_routes)
{
    const json_t *item;
    for (size_t i = 0; i < routes_count; i++) {
        const struct route *route = &routes[i];
        const json_t *operation = find_operation(route, &item);
        size_t count = 0;
        for (; count < QUERY_MOST && route->query[count] != NULL; count++) {
            const json_t *parameter = parameter_in(operation, route->query[count]);
            ck_assert_msg(parameter != NULL && is_in(parameter, "query"), "%s %s: no parameter %s",
                          route->method, route->pattern, route->query[count]);
        }
        ck_assert_uint_eq(count, count_query_parameters(operation));
        ck_assert_uint_eq(count_query_parameters(item), 0);
        check_types(route, operation);
    }
    operations_count = 0;
    each_operation(count_operation);
    ck_assert_uint_eq((size_t)operations_count, routes_count);
}
END_TEST

/* Every example of a request has its answer, and every operation one that went well. */
static void check_examples(const char *path, const char *method, const json_t *item,
                           const json_t *operation)
{
    (void)item;
    char name[NAME];
    const char *type, *example, *id = text_at(operation, "operationId");
    json_t *media, *value;
    bool goes_well = false;
    json_object_foreach((json_t *)request_content(operation), type, media)
        json_object_foreach(json_object_get(media, "examples"), example, value) {
            snprintf(name, sizeof name, "%s/%s", id, example);
            find_exchange(name);
        }
    for (int i = 0; i < contract.count; i++)
        goes_well |=
            contract.exchanges[i].operation == operation && contract.exchanges[i].status < 300;
    ck_assert_msg(goes_well, "%s %s has no example that goes well", method, path);
}

START_TEST(operations_have_examples)
{
    each_operation(check_examples);
}
END_TEST

/* --- problem codes --- */

enum { CODES = PROBLEM_STORE_FULL + 1 };
static bool is_documented[CODES];

static enum problem_code find_code(const char *name)
{
    for (unsigned code = PROBLEM_NONE + 1; code < CODES; code++)
        if (strcmp(problem_name((enum problem_code)code), name) == 0)
            return (enum problem_code)code;
    return PROBLEM_NONE;
}

/* The words in backticks are codes, of that status. */
static void check_description(const char *place, const char *status, const char *description)
{
    char word[64];
    for (const char *rest = description; (rest = strchr(rest, '`')) != NULL;) {
        ck_assert_msg(sscanf(rest, "`%63[^`]`", word) == 1, "%s %s", place, status);
        rest = strchr(rest + 1, '`') + 1;
        if (strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(word))
            continue;
        const enum problem_code code = find_code(word);
        ck_assert_msg(code != PROBLEM_NONE, "%s %s: there is no code %s", place, status, word);
        ck_assert_uint_eq(problem_status(code), strtoul(status, NULL, 10));
        is_documented[code] = true;
    }
}

static void check_codes(const char *path, const char *method, const json_t *item,
                        const json_t *operation)
{
    (void)method;
    (void)item;
    const char *status;
    json_t *response;
    json_object_foreach((json_t *)at(operation, "responses"), status, response)
        if (*status >= '4')
            check_description(path, status, text_at(resolve(response), "description"));
}

/* These belong to no operation: a path that is unknown, and a method that its path does not answer.
 */
START_TEST(operations_name_every_problem)
{
    memset(is_documented, 0, sizeof is_documented);
    each_operation(check_codes);
    is_documented[PROBLEM_NOT_FOUND] = true;
    is_documented[PROBLEM_METHOD_NOT_ALLOWED] = true;
    for (unsigned code = PROBLEM_NONE + 1; code < CODES; code++)
        ck_assert_msg(is_documented[code], "no operation names %s",
                      problem_name((enum problem_code)code));
}
END_TEST

/* The schema lists them all, each with its status and meaning. */
START_TEST(schema_lists_every_problem)
{
    char row[96];
    const json_t *schema = at(at(at(contract.document, "components"), "schemas"), "ProblemCode");
    const json_t *names = at(schema, "enum");
    size_t index;
    json_t *name;
    ck_assert_uint_eq(json_array_size(names), CODES - 1);
    json_array_foreach((json_t *)names, index, name) {
        const enum problem_code code = find_code(json_string_value(name));
        ck_assert_msg(code != PROBLEM_NONE, "there is no code %s", json_string_value(name));
        snprintf(row, sizeof row, "| %u | `%s` |", problem_status(code), problem_name(code));
        ck_assert_msg(strstr(text_at(schema, "description"), row) != NULL, "no row %s", row);
    }
}
END_TEST

/* An example of a problem shows a code that its response names. */
START_TEST(problem_examples_show_named_codes)
{
    char word[64];
    for (int i = 0; i < contract.count; i++) {
        const struct exchange *exchange = &contract.exchanges[i];
        if (exchange->status < 400)
            continue;
        snprintf(word, sizeof word, "`%s`", text_at(at(exchange->answer, "value"), "code"));
        ck_assert_msg(strstr(text_at(exchange->response, "description"), word) != NULL,
                      "%s: %s is not named", exchange->name, word);
    }
}
END_TEST

static Suite *suite(void)
{
    Suite *openapi = suite_create("openapi");
    TCase *text = tcase_create("text");
    tcase_add_test(text, parts_make_the_document);
    tcase_add_test(text, paths_are_the_routes);
    tcase_add_test(text, operations_have_examples);
    tcase_add_test(text, operations_name_every_problem);
    tcase_add_test(text, schema_lists_every_problem);
    tcase_add_test(text, problem_examples_show_named_codes);
    suite_add_tcase(openapi, text);

    TCase *exchanges = tcase_create("exchanges");
    tcase_set_timeout(exchanges, SERVICE_SECONDS);
    tcase_add_loop_test(exchanges, example_is_a_real_exchange, 0, contract.count);
    suite_add_tcase(openapi, exchanges);
    return openapi;
}

int main(void)
{
    read_contract();
    const int status = suite_run(suite());
    json_decref(contract.document);
    free(contract.text);
    return status;
}
