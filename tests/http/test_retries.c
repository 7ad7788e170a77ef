/* Idempotency-Key: a request that is sent again makes nothing more. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

#define MODEL "{\"in_features\": 2, \"out_features\": 2, \"T\": 5}"
#define TRAIN "{\"in_spikes\": [[1, 2], [3, 4]], \"label\": [0, 1], \"epochs\": 1}"

static void start(void)
{
    fixture_start(FLAGS("--log", "errors"));
    create_plain_model(&server, "plain");
}

/* The member of the answer as text, or the code of its problem; free(). */
static char *post(const char *path, const char *body, const char *key, const char *member)
{
    char header[400];
    snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    struct http_answer answer = http_send(&server, "POST", path, body, header, NULL);
    json_t *json = json_loads(answer.body, 0, NULL);
    const json_t *value = json_object_get(json, answer.status < 400 ? member : "code");
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    json_decref(json);
    http_answer_finish(&answer);
    return text;
}

static void expect_post(const char *path, const char *body, const char *key, const char *member,
                        const char *expected)
{
    char *found = post(path, body, key, member);
    ck_assert_str_eq(found, expected);
    free(found);
}

static int64_t models(void)
{
    return number_in_database(&server, "SELECT count(*) FROM models");
}

/* "NAME;" makes libcurl send an empty one. */
START_TEST(an_empty_key_is_refused)
{
    struct http_answer answer =
        http_send(&server, "POST", "/models", MODEL, "Idempotency-Key;", NULL);
    expect_problem(&answer, 400, "malformed_request");
    ck_assert_ptr_nonnull(strstr(answer.body, "Idempotency-Key"));
    http_answer_finish(&answer);
    ck_assert_int_eq(models(), 1);
}
END_TEST

START_TEST(a_model_is_created_once)
{
    char *id = post("/models", MODEL, "one", "id"), *other = post("/models", MODEL, "two", "id");
    ck_assert_str_ne(id, other);
    expect_post("/models", MODEL, "one", "id", id);
    service_kill(&server);
    service_restart(&server);
    expect_post("/models", MODEL, "one", "id", id);
    expect_post("/models", MODEL, "two", "id", other);
    ck_assert_int_eq(models(), 3);
    free(other);
    free(id);
}
END_TEST

START_TEST(a_run_is_queued_once)
{
    expect_post("/models/plain/train", TRAIN, "one", "id", "1");
    expect_post("/models/plain/train", TRAIN, "one", "id", "1");
    expect_post("/models/plain/train", TRAIN, "two", "id", "2");
    ck_assert_int_eq(number_in_database(&server, "SELECT count(*) FROM runs"), 2);
}
END_TEST

START_TEST(a_key_is_of_one_request)
{
    free(post("/models", MODEL, "one", "id"));
    expect_post("/models", "{\"in_features\": 3, \"out_features\": 2, \"T\": 5}", "one", "id",
                "\"key_reused\"");
    expect_post("/models/plain/train", TRAIN, "one", "id", "\"key_reused\"");
    ck_assert_int_eq(models(), 2);
}
END_TEST

START_TEST(a_refused_request_does_not_use_its_key_up)
{
    expect_post("/models", "{\"id\": \"plain\", \"in_features\": 2, \"out_features\": 2, \"T\": 5}",
                "one", "id", "\"id_taken\"");
    expect_post("/models", "{\"id\": \"new\", \"in_features\": 2, \"out_features\": 2, \"T\": 5}",
                "one", "id", "\"new\"");
}
END_TEST

START_TEST(what_was_deleted_since_is_not_made_again)
{
    static const char body[] =
        "{\"id\": \"new\", \"in_features\": 2, \"out_features\": 2, \"T\": 5}";
    expect_post("/models", body, "one", "id", "\"new\"");
    struct http_answer answer = ask(204, "DELETE", "/models/new", NULL);
    http_answer_finish(&answer);
    expect_post("/models", body, "one", "id", "\"model_not_found\"");
    ck_assert_int_eq(models(), 1);
}
END_TEST

START_TEST(what_has_its_id_since_is_not_shown_in_its_place)
{
    static const char body[] =
        "{\"id\": \"new\", \"in_features\": 2, \"out_features\": 2, \"T\": 5}";
    expect_post("/models", body, "one", "id", "\"new\"");
    expect_post("/models/new/train", TRAIN, "run", "id", "1");
    json_decref(run_await(&server, 1, run_has_ended));
    struct http_answer answer = ask(204, "DELETE", "/models/new", NULL);
    http_answer_finish(&answer);
    create_plain_model(&server, "new");
    expect_post("/models", body, "one", "id", "\"model_not_found\"");
    expect_post("/models/new/train", TRAIN, "run", "id", "\"run_not_found\"");
    json_t *model = http_get(&server, "/models/new");
    ck_assert_int_eq(member_integer(model, "T"), 20);
    json_decref(model);
}
END_TEST

START_TEST(a_key_is_forgotten_after_a_day)
{
    char *id = post("/models", MODEL, "one", "id");
    damage_database(&server, "UPDATE retries SET created_at = created_at - 86400001");
    char *other = post("/models", MODEL, "one", "id");
    ck_assert_str_ne(id, other);
    free(other);
    free(id);
}
END_TEST

START_TEST(a_key_that_is_too_long_is_refused)
{
    char key[258];
    memset(key, 'k', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    expect_post("/models", MODEL, key, "id", "\"malformed_request\"");
    key[255] = '\0';
    free(post("/models", MODEL, key, "id"));
    ck_assert_int_eq(models(), 2);
}
END_TEST

static void *post_same(void *unused)
{
    (void)unused;
    return post("/models", MODEL, "same", "id");
}

START_TEST(many_at_the_same_time_make_one_model)
{
    enum { CLIENTS = 16 };
    pthread_t clients[CLIENTS];
    void *ids[CLIENTS];
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(pthread_create(&clients[i], NULL, post_same, NULL), 0);
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(clients[i], &ids[i]);
    for (int i = 0; i < CLIENTS; i++)
        ck_assert_str_eq(ids[i], ids[0]);
    for (int i = 0; i < CLIENTS; i++)
        free(ids[i]);
    ck_assert_int_eq(models(), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("retries");
    TCase *tests = fixture_case(suite, "retries", start);
    tcase_add_test(tests, a_model_is_created_once);
    tcase_add_test(tests, a_run_is_queued_once);
    tcase_add_test(tests, a_key_is_of_one_request);
    tcase_add_test(tests, a_refused_request_does_not_use_its_key_up);
    tcase_add_test(tests, what_was_deleted_since_is_not_made_again);
    tcase_add_test(tests, what_has_its_id_since_is_not_shown_in_its_place);
    tcase_add_test(tests, a_key_is_forgotten_after_a_day);
    tcase_add_test(tests, a_key_that_is_too_long_is_refused);
    tcase_add_test(tests, many_at_the_same_time_make_one_model);
    tcase_add_test(tests, an_empty_key_is_refused);
    return suite_run(suite);
}
