#include "tests/support/client.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

void create_model(const struct service *service, json_t *model)
{
    json_decref(http_call(service, 201, "POST", "/models", model));
}

void create_model_of_text(const struct service *service, const char *model)
{
    struct http_answer answer = http_send(service, "POST", "/models", model, NULL);
    ck_assert_msg(answer.status == 201, "%s", answer.body);
    http_answer_finish(&answer);
}

void create_plain_model(const struct service *service, const char *id)
{
    create_model(service, json_pack("{s:s, s:i, s:i, s:i}", "id", id, "in_features", 2,
                                    "out_features", 2, "T", 20));
}

const char *member_string(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    ck_assert_msg(value != NULL, "%s is no string", name);
    return value;
}

json_int_t member_integer(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    ck_assert_msg(json_is_integer(value), "%s is no integer", name);
    return json_integer_value(value);
}

double member_number(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);
    ck_assert_msg(json_is_number(number), "%s is no number", name);
    return json_number_value(number);
}

const json_t *member_element(const json_t *object, const char *name, size_t row, size_t column)
{
    return json_array_get(json_array_get(json_object_get(object, name), row), column);
}

/* "" if it is no string. */
static const char *text(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));
    return value != NULL ? value : "";
}

void expect_problem(const struct http_answer *answer, long status, const char *code)
{
    ck_assert_msg(answer->status == status && strcmp(text(answer->json, "code"), code) == 0,
                  "expected %ld %s, but %ld came: %.1000s", status, code, answer->status,
                  answer->body);
    ck_assert_str_eq(http_header(answer, "content-type"), "application/problem+json");
    ck_assert_str_eq(text(answer->json, "type"), "about:blank");
    ck_assert_str_ne(text(answer->json, "title"), "");
    ck_assert_str_ne(text(answer->json, "detail"), "");
    ck_assert_int_eq(json_integer_value(json_object_get(answer->json, "status")), status);
    ck_assert_str_eq(text(answer->json, "request_id"), http_header(answer, "x-request-id"));
}

const char *problem_names(const struct http_answer *answer)
{
    static char names[2048];
    size_t index, size = 0;
    json_t *error;
    names[0] = '\0';
    json_array_foreach(json_object_get(answer->json, "errors"), index, error) {
        const char *pointer = text(error, "pointer"), *name = text(error, "parameter");
        ck_assert_str_ne(text(error, "code"), "");
        ck_assert_str_ne(text(error, "detail"), "");
        size += (size_t)snprintf(names + size, sizeof names - size, "%s%s", index > 0 ? " " : "",
                                 *pointer != '\0' ? pointer : name);
        ck_assert_uint_lt(size, sizeof names);
    }
    return names;
}
