/* The contract's examples are exchanges that the real server repeats, each on a server of its own.
 */
#include <check.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/contract.h"
#include "tests/support/example_bytes.h"
#include "tests/support/files.h"
#include "tests/support/http.h"
#include "tests/support/service.h"
#include "tests/support/suite.h"

enum { TARGET = 512, MAX_HEADERS = 4 };

/* --- parameters --- */

static const json_t *find_parameter(const struct exchange *exchange, const char *name)
{
    const json_t *parameter = contract_parameter(exchange->operation, name);
    return parameter != NULL ? parameter : contract_parameter(exchange->item, name);
}

/* A parameter that the contract does not know goes into the query: it is meant to be refused. */
static bool goes_to(const json_t *parameter, const char *place)
{
    return parameter != NULL ? contract_is_in(parameter, place) : strcmp(place, "query") == 0;
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

/* Replaces each {name} by the exchange's own value, or by the parameter's example. */
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
        const json_t *given = contract_at(contract_at(exchange->answer, "x-parameters"), name);
        char *text = value_text(given != NULL ? given : contract_at(parameter, "example"));
        append_text(target, text);
        free(text);
        rest = strchr(rest, '}') + 1;
    }
}

/* Header lines; NULL ends them. */
struct lines {
    char *line[MAX_HEADERS + 1];
    int count;
};

static void add_line(struct lines *lines, const char *name, const char *value)
{
    const size_t size = strlen(name) + strlen(value) + sizeof ": ";
    char *line = malloc(size);
    ck_assert(lines->count < MAX_HEADERS && line != NULL);
    snprintf(line, size, "%s: %s", name, value);
    lines->line[lines->count++] = line;
}

static void lines_finish(struct lines *lines)
{
    while (lines->count > 0)
        free(lines->line[--lines->count]);
}

/* Adds the query, and the parameters that are headers. */
static void fill_query(const struct exchange *exchange, char target[TARGET], struct lines *lines)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)contract_at(exchange->answer, "x-parameters"), name, value) {
        const json_t *parameter = find_parameter(exchange, name);
        char *text = value_text(value);
        if (goes_to(parameter, "query")) {
            append_text(target, strchr(target, '?') == NULL ? "?" : "&");
            append_text(target, name);
            append_text(target, "=");
            append_encoded(target, text);
        } else if (goes_to(parameter, "header")) {
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
    json_object_foreach((json_t *)contract_at(exchange->answer, "x-headers"), name, value)
        add_line(lines, name, json_string_value(value));
}

/* --- bodies --- */

/* The `text` of an x-request goes as it is, whatever its type. */
static struct bytes body_of(const struct exchange *exchange)
{
    const char *text = contract_text(exchange->request, "text");
    if (exchange->request == NULL)
        return (struct bytes){0};
    struct bytes body = text != NULL ? bytes_of(text, strlen(text))
                                     : example_bytes(exchange->name, exchange->request_type,
                                                     contract_at(exchange->request, "value"));
    const json_t *headers = contract_at(exchange->answer, "x-headers");
    if (is_type(contract_text(headers, "Content-Encoding"), "gzip")) {
        struct bytes gzipped = bytes_gzipped(&body);
        bytes_finish(&body);
        return gzipped;
    }
    return body;
}

/* --- exchanging --- */

static struct http_answer ask(const struct service *service, const struct exchange *exchange)
{
    char target[TARGET] = "";
    struct lines lines = {0};
    struct bytes body = body_of(exchange);
    fill_path(exchange, target);
    fill_query(exchange, target, &lines);
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

static void ask_what_comes_before(const struct service *service, const struct exchange *exchange)
{
    size_t index;
    json_t *name;
    const json_t *names = contract_at(exchange->answer, "x-after");
    if (names == NULL)
        names = contract_at(exchange->operation, "x-after");
    json_array_foreach((json_t *)names, index, name) {
        struct http_answer answer = ask(service, contract_exchange(json_string_value(name)));
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
        if (is_settled(key, json_string_value(value), contract_text(actual, key)))
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
    json_array_foreach((json_t *)contract_at(exchange->answer, "x-varies"), index, name) {
        const char *key = json_string_value(name);
        ck_assert_msg(json_object_get(actual, key) != NULL, "%s: no %s", exchange->name, key);
        json_object_set(actual, key, json_object_get(expected, key));
    }
}

static void compare_json(const struct exchange *exchange, struct http_answer *answer)
{
    json_t *expected = json_object_get(exchange->answer, "value");
    settle(expected, answer->json);
    settle_varying(exchange, expected, answer->json);
    char *text = json_dumps(expected, JSON_ENCODE_ANY);
    ck_assert_msg(json_equal(expected, answer->json), "%s:\n%s\nis not\n%s", exchange->name,
                  answer->body, text);
    free(text);
}

static void compare_bytes(const struct exchange *exchange, const struct http_answer *answer)
{
    struct bytes expected =
        example_bytes(exchange->name, exchange->type, contract_at(exchange->answer, "value"));
    ck_assert_msg(answer->size == expected.size, "%s: %zu bytes, not %zu", exchange->name,
                  answer->size, expected.size);
    ck_assert_mem_eq(answer->body, expected.at, expected.size);
    bytes_finish(&expected);
}

static void compare_beginning(const struct http_answer *answer, const char *beginning)
{
    ck_assert_uint_gt(answer->size, strlen(beginning));
    ck_assert_mem_eq(answer->body, beginning, strlen(beginning));
}

/* The contract shows how it begins. */
static void compare_contract(const struct http_answer *answer, const char *beginning)
{
    ck_assert_uint_eq(answer->size, contract.size);
    ck_assert_mem_eq(answer->body, contract.text, contract.size);
    compare_beginning(answer, beginning);
}

static void compare_body(const struct exchange *exchange, struct http_answer *answer)
{
    if (exchange->type == NULL)
        ck_assert_uint_eq(answer->size, 0);
    else if (strstr(exchange->type, "json") != NULL)
        compare_json(exchange, answer);
    else if (is_type(exchange->type, "application/yaml"))
        compare_contract(answer, contract_text(exchange->answer, "value"));
    else if (is_type(exchange->type, "application/vnd.sqlite3"))
        compare_beginning(answer, contract_text(exchange->answer, "value"));
    else
        compare_bytes(exchange, answer);
}

/* Each header that the contract promises is there. */
static void compare_headers(const struct exchange *exchange, const struct http_answer *answer)
{
    const char *name;
    json_t *header;
    ck_assert_pstr_eq(http_header(answer, "content-type"), exchange->type);
    json_object_foreach((json_t *)contract_at(exchange->response, "headers"), name, header) {
        char lower[CONTRACT_NAME] = "";
        for (size_t i = 0; name[i] != '\0' && i < CONTRACT_NAME - 1; i++)
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

int main(void)
{
    contract_read();
    Suite *suite = suite_create("openapi_examples");
    TCase *exchanges = tcase_create("exchanges");
    tcase_set_timeout(exchanges, SERVICE_SECONDS);
    tcase_add_loop_test(exchanges, example_is_a_real_exchange, 0, contract.count);
    suite_add_tcase(suite, exchanges);
    const int status = suite_run(suite);
    contract_finish();
    return status;
}
