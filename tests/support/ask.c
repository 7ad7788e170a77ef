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
