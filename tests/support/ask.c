#include "tests/support/ask.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"

struct http_answer ask(long status, const char *method, const char *path, const char *body)
{
    struct http_answer answer = http_send(&server, method, path, body, NULL);
    ck_assert_msg(answer.status == status, "%s %s: %ld %s", path, body, answer.status, answer.body);
    return answer;
}

json_t *ask_json(const char *path, const char *body)
{
    return http_post(&server, path, json_loads(body, 0, NULL));
}

void expect_member(const char *path, const char *body, const char *name, const char *expected)
{
    struct http_answer answer = ask(200, body != NULL ? "POST" : "GET", path, body);
    char *text = json_dumps(json_object_get(answer.json, name),
                            JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    ck_assert_str_eq(text, expected);
    free(text);
    http_answer_finish(&answer);
}

void expect_refused(const char *method, const char *path, const char *body, long status,
                    const char *code, const char *names)
{
    struct http_answer answer = http_send(&server, method, path, body, NULL);
    expect_problem(&answer, status, code);
    ck_assert_msg(strcmp(problem_names(&answer), names != NULL ? names : "") == 0,
                  "%s %s names \"%s\"", path, body, problem_names(&answer));
    const char *instance = member_string(answer.json, "instance");
    ck_assert_uint_eq(strlen(instance), strcspn(path, "?"));
    ck_assert_int_eq(strncmp(instance, path, strlen(instance)), 0);
    http_answer_finish(&answer);
}

void expect_json(const json_t *found, const char *expected)
{
    char *text = json_dumps(found, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    json_t *json = json_loads(expected, JSON_DECODE_ANY, NULL);
    char *wanted = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    ck_assert_str_eq(text, wanted);
    json_decref(json);
    free(text);
    free(wanted);
}

void expect_equal_json(json_t *take_one, json_t *take_other)
{
    ck_assert(json_equal(take_one, take_other));
    json_decref(take_one);
    json_decref(take_other);
}

void expect_shape(const json_t *matrix, size_t rows, size_t columns)
{
    ck_assert_uint_eq(json_array_size(matrix), rows);
    for (size_t i = 0; i < rows; i++)
        ck_assert_uint_eq(json_array_size(json_array_get(matrix, i)), columns);
}

double matrix_number(const json_t *matrix, size_t row, size_t column)
{
    const json_t *number = json_array_get(json_array_get(matrix, row), column);
    ck_assert(json_is_number(number));
    return json_number_value(number);
}

void expect_npy_rows(const struct http_answer *answer, const json_t *expected, const char *shape)
{
    enum { PREFIX = 10 };
    float number;
    size_t row, column;
    json_t *numbers, *value;
    ck_assert_int_eq(answer->status, 200);
    ck_assert_str_eq(http_header(answer, "content-type"), "application/x-npy");
    ck_assert_ptr_nonnull(strstr(answer->body + PREFIX, shape));
    const char *at = answer->body + PREFIX + (unsigned char)answer->body[8] +
                     256 * (unsigned char)answer->body[9];
    json_array_foreach((json_t *)(uintptr_t)expected, row, numbers) {
        json_array_foreach(numbers, column, value) {
            memcpy(&number, at, sizeof number);
            ck_assert_float_eq(number, (float)json_number_value(value));
            at += sizeof number;
        }
    }
    ck_assert_uint_eq((size_t)(at - answer->body), answer->size);
}

char *ask_member(const char *path, const char *member)
{
    json_t *answer = http_get(&server, path);
    char *text = json_dumps(json_object_get(answer, member), JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(answer);
    ck_assert_ptr_nonnull(text);
    return text;
}

void expect_version(const char *path, json_int_t version)
{
    json_t *model = http_get(&server, path);
    ck_assert_int_eq(json_integer_value(json_object_get(model, "version")), version);
    json_decref(model);
}
