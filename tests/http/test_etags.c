/* ETag and If-Match: a change of what the client has seen, and of nothing else. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/suite.h"

enum { TAG = 64 };

static void start(void)
{
    fixture_start(FLAGS("--log", "errors"));
    create_plain_model(&server, "plain");
    put_both(&server, "a");
}

static void read_tag(const char *path, char tag[TAG])
{
    struct http_answer answer = ask(200, "GET", path, NULL);
    ck_assert_ptr_nonnull(http_header(&answer, "etag"));
    snprintf(tag, TAG, "%s", http_header(&answer, "etag"));
    http_answer_finish(&answer);
}

static void expect_status(long status, const char *method, const char *path, const char *body,
                          const char *tag)
{
    char header[TAG + 16];
    snprintf(header, sizeof header, "If-Match: %s", tag);
    struct http_answer answer = http_send(&server, method, path, body, header, NULL);
    ck_assert_msg(answer.status == status, "%s %s: %s", method, path, answer.body);
    http_answer_finish(&answer);
}

START_TEST(a_model_is_changed_only_as_it_was_seen)
{
    char first[TAG], second[TAG];
    read_tag("/models/plain", first);
    expect_status(200, "PATCH", "/models/plain", "{\"description\": \"b\"}", first);
    read_tag("/models/plain", second);
    ck_assert_str_ne(first, second);
    expect_status(412, "PATCH", "/models/plain", "{\"description\": \"c\"}", first);
    expect_status(412, "DELETE", "/models/plain", NULL, first);
    expect_member("/models/plain", NULL, "description", "\"b\"");
    expect_status(412, "DELETE", "/models/none", NULL, "*");
    expect_status(204, "DELETE", "/models/plain", NULL, second);
}
END_TEST

START_TEST(a_dataset_is_deleted_only_as_it_was_seen)
{
    char first[TAG], second[TAG];
    read_tag("/datasets/a", first);
    put_x(&server, "/datasets/a/x", "<i2");
    read_tag("/datasets/a", second);
    ck_assert_str_ne(first, second);
    expect_status(412, "DELETE", "/datasets/a", NULL, first);
    expect_status(412, "PUT", "/datasets/b", "a\n1\n", "*");
    expect_status(412, "PUT", "/datasets/a", "a\n1\n", first);
    expect_status(204, "DELETE", "/datasets/a", NULL, second);
}
END_TEST

/* A variable of a script that is not set, say. "NAME;" makes libcurl send an empty one. */
START_TEST(an_empty_tag_is_refused)
{
    static const struct {
        const char *method, *path, *body;
    } changes[] = {
        {"PATCH", "/models/plain", "{\"description\": \"b\"}"},
        {"DELETE", "/models/plain", NULL},
        {"PUT", "/datasets/a", "a\n1\n"},
        {"DELETE", "/datasets/a", NULL},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct http_answer answer = http_send(&server, changes[i].method, changes[i].path,
                                              changes[i].body, "If-Match;", NULL);
        expect_problem(&answer, 400, "malformed_request");
        ck_assert_ptr_nonnull(strstr(answer.body, "If-Match is empty"));
        http_answer_finish(&answer);
    }
    expect_member("/models/plain", NULL, "description", "\"\"");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("etags");
    TCase *tests = fixture_case(suite, "etags", start);
    tcase_add_test(tests, a_model_is_changed_only_as_it_was_seen);
    tcase_add_test(tests, a_dataset_is_deleted_only_as_it_was_seen);
    tcase_add_test(tests, an_empty_tag_is_refused);
    return suite_run(suite);
}
