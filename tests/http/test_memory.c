/* --memory: three quarters are for runs, and a quarter is for requests that name datasets and for
 * models beside the cache. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"
#include "tests/support/wire.h"

/* A run of "one" or "two" takes 23 of 24 MiB, and a request that names "large" 7 of 8. */
enum { SAMPLES = 40000, FEATURES = 100 };
#define MEMORY "32M"

static void create_model(const char *id, int in_features)
{
    char body[160];
    snprintf(body, sizeof body,
             "{\"id\": \"%s\", \"in_features\": %d, \"out_features\": 2, \"T\": 10}", id,
             in_features);
    json_decref(http_call(&server, 201, "POST", "/models", json_loads(body, 0, NULL)));
}

static void put_large(const char *path, const char *shape, size_t size)
{
    uint8_t *zeros = calloc(1, size);
    ck_assert_ptr_nonnull(zeros);
    json_decref(put_file(&server, path, npy_of("|u1", shape, zeros, size)));
    free(zeros);
}

static void start(void)
{
    fixture_start(FLAGS("--memory", MEMORY, "--workers", "2", "--threads", "2"));
    create_model("one", 60000);
    create_model("two", 60000);
    create_model("narrow", FEATURES);
    put_large("/datasets/large/x", "(40000, 100)", (size_t)SAMPLES * FEATURES);
    put_large("/datasets/large/label", "(40000,)", SAMPLES);
}

static json_t *order(int features, int epochs)
{
    json_t *x = json_array();
    for (int i = 0; i < features; i++)
        json_array_append_new(x, json_integer(-1));
    json_array_set_new(x, 0, json_integer(1));
    return json_pack("{s:[o], s:[i], s:i}", "in_spikes", x, "label", 0, "epochs", epochs);
}

START_TEST(a_run_that_could_never_have_its_memory_is_refused_with_both_numbers)
{
    create_model("wide", 400000);
    json_t *run = order(400000, 1);
    char *body = json_dumps(run, 0);
    json_decref(run);
    struct http_answer answer = http_send(&server, "POST", "/models/wide/train", body, NULL);
    ck_assert_int_eq(answer.status, 422);
    ck_assert_str_eq(json_string_value(json_object_get(answer.json, "code")), "too_large");
    const char *detail = json_string_value(json_object_get(answer.json, "detail"));
    ck_assert_msg(strstr(detail, "MiB of memory, and runs have 24 MiB (--memory)") != NULL, "%s",
                  detail);
    http_answer_finish(&answer);
    free(body);
}
END_TEST

START_TEST(a_run_waits_until_there_is_memory_for_it)
{
    const json_int_t first = run_queue(&server, "one", order(60000, RUN_ENDLESS));
    run_await_begun(&server, first);
    const json_int_t second = run_queue(&server, "two", order(60000, 1));
    const json_int_t small = run_queue(&server, "narrow", order(FEATURES, 1));
    json_t *waits = run_get(&server, second);
    ck_assert_str_eq(json_string_value(json_object_get(waits, "state")), "queued");
    json_decref(waits);
    json_decref(run_cancel(&server, first, 202));
    json_decref(run_await(&server, second, run_has_ended));
    json_decref(run_await(&server, small, run_has_ended));
    json_t *ended = run_get(&server, second);
    ck_assert_str_eq(json_string_value(json_object_get(ended, "state")), "succeeded");
    /* It was not begun beside the first. */
    json_t *before = run_get(&server, first);
    ck_assert_int_ge(run_time(ended, "started_at"), run_time(before, "finished_at"));
    json_decref(before);
    json_decref(ended);
}
END_TEST

static const char named[] = "{\"dataset\": \"large\"}";

START_TEST(a_request_that_names_a_dataset_is_served_whatever_runs_take)
{
    const json_int_t run = run_queue(&server, "one", order(60000, RUN_ENDLESS));
    run_await_begun(&server, run);
    json_decref(ask_json("/models/narrow/evaluate", named));
    json_decref(ask_json("/models/narrow/predict", named));
    json_decref(run_cancel(&server, run, 202));
}
END_TEST

START_TEST(a_request_that_could_never_have_its_memory_is_refused_with_both_numbers)
{
    put_large("/datasets/larger/x", "(80000, 100)", (size_t)2 * SAMPLES * FEATURES);
    struct http_answer answer =
        http_send(&server, "POST", "/models/narrow/predict", "{\"dataset\": \"larger\"}", NULL);
    ck_assert_int_eq(answer.status, 422);
    ck_assert_str_eq(json_string_value(json_object_get(answer.json, "code")), "too_large");
    ck_assert_msg(strstr(answer.body, "MiB of memory, and requests have 8 MiB (--memory)") != NULL,
                  "%s", answer.body);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_queued_run_that_has_become_too_large_fails_when_its_turn_comes)
{
    const json_int_t first = run_queue(&server, "one", order(60000, RUN_ENDLESS));
    run_await_begun(&server, first);
    ck_assert_str_eq(server.flags[1], MEMORY);
    server.flags[1] = "4M";
    service_restart(&server);
    json_t *run = run_await(&server, first, run_has_ended);
    ck_assert_str_eq(json_string_value(json_object_get(run, "state")), "failed");
    ck_assert_str_eq(json_string_value(json_object_get(json_object_get(run, "error"), "code")),
                     "too_large");
    json_decref(run);
}
END_TEST

/* --- models --- */

/* A model of two million weights: it takes 8 MB, and twice that while it is loaded. Three of them
 * fit into a quarter of this. */
#define FOR_MODELS "112M"
enum { WIDE = 125000, OUTPUTS = 16 };

static void create_wide_model(void)
{
    char body[160];
    snprintf(body, sizeof body,
             "{\"id\": \"wide\", \"in_features\": %d, \"out_features\": %d, \"T\": 10}", WIDE,
             OUTPUTS);
    json_decref(http_call(&server, 201, "POST", "/models", json_loads(body, 0, NULL)));
}

#define WIDE_WEIGHTS "/models/wide/weights"

static int begin_unread(void)
{
    static struct wire_answer answer;
    const int connection = http_connect(&server);
    wire_send(connection, "GET " WIDE_WEIGHTS " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wire_read_head(connection, &answer);
    ck_assert_msg(answer.status == 200, "%s", answer.text);
    return connection;
}

/* No event tells when the server has seen that a reader is gone. */
static void await_served(const char *method, const char *path, const char *body)
{
    long status = 503;
    for (int waited = 0; status == 503; waited++) {
        struct http_answer answer = http_send(&server, method, path, body, NULL);
        status = answer.status;
        http_answer_finish(&answer);
        ck_assert_int_lt(waited, service_patience());
    }
    ck_assert_int_eq(status, 200);
}

static void await_room(void)
{
    await_served("HEAD", WIDE_WEIGHTS, NULL);
}

START_TEST(a_large_model_is_loaded_whatever_runs_take)
{
    create_wide_model();
    const json_int_t run = run_queue(&server, "one", order(60000, RUN_ENDLESS));
    run_await_begun(&server, run);
    json_decref(http_get(&server, WIDE_WEIGHTS));
    json_decref(run_cancel(&server, run, 202));
}
END_TEST

/* The model counts as all that requests have. */
START_TEST(a_request_that_names_a_dataset_is_refused_while_others_have_the_memory)
{
    create_wide_model();
    const int reader = begin_unread();
    expect_refused("POST", "/models/narrow/evaluate", named, 503, "overloaded", NULL);
    expect_refused("POST", "/models/narrow/predict", named, 503, "overloaded", NULL);
    close(reader);
    await_served("POST", "/models/narrow/evaluate", named);
}
END_TEST

/* Each answer has a model of its own, which it keeps until it is read. */
START_TEST(answers_that_are_not_read_count_the_models_that_they_read_from)
{
    fixture_start(FLAGS("--memory", FOR_MODELS, "--model-cache", "1K"));
    create_wide_model();
    const int first = begin_unread(), second = begin_unread();
    expect_refused("GET", WIDE_WEIGHTS, NULL, 503, "overloaded", NULL);
    close(first);
    await_room();
    close(second);
}
END_TEST

/* The model that is served has no copies, but a new version leaves the old one to its reader. */
START_TEST(a_version_that_is_not_served_any_more_counts_while_it_is_read)
{
    int readers[3];
    fixture_start(FLAGS("--memory", FOR_MODELS));
    create_wide_model();
    for (int i = 0; i < ROWS(readers); i++)
        readers[i] = begin_unread();
    for (int i = 1; i < ROWS(readers); i++)
        close(readers[i]);
    float *weights = malloc(WIDE * OUTPUTS * sizeof *weights);
    ck_assert_ptr_nonnull(weights);
    for (int i = 0; i < WIDE * OUTPUTS; i++)
        weights[i] = 0.12345678f; /* more text than the sockets hold */
    struct bytes array = npy_of("<f4", "(16, 125000)", weights, WIDE * OUTPUTS * sizeof *weights);
    for (int version = 2; version <= 3; version++) {
        struct http_answer put =
            http_send_bytes(&server, "PUT", WIDE_WEIGHTS, &array, "Content-Type: application/x-npy",
                            "Expect:", NULL);
        ck_assert_msg(put.status == 200, "%ld %s", put.status, put.body);
        http_answer_finish(&put);
        if (version == 2)
            readers[1] = begin_unread();
    }
    expect_refused("GET", WIDE_WEIGHTS, NULL, 503, "overloaded", NULL);
    close(readers[0]);
    await_room();
    close(readers[1]);
    bytes_finish(&array);
    free(weights);
}
END_TEST

START_TEST(a_model_that_is_larger_than_all_memory_is_served_by_itself)
{
    fixture_start(FLAGS("--memory", "4M", "--model-cache", "1K"));
    create_wide_model();
    const int reader = begin_unread();
    expect_refused("GET", WIDE_WEIGHTS, NULL, 503, "overloaded", NULL);
    close(reader);
    await_room();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tests = fixture_case(suite, "memory", start);
    tcase_add_test(tests, a_run_that_could_never_have_its_memory_is_refused_with_both_numbers);
    tcase_add_test(tests, a_run_waits_until_there_is_memory_for_it);
    tcase_add_test(tests, a_request_that_names_a_dataset_is_served_whatever_runs_take);
    tcase_add_test(tests, a_request_that_could_never_have_its_memory_is_refused_with_both_numbers);
    tcase_add_test(tests, a_queued_run_that_has_become_too_large_fails_when_its_turn_comes);
    tcase_add_test(tests, a_large_model_is_loaded_whatever_runs_take);
    tcase_add_test(tests, a_request_that_names_a_dataset_is_refused_while_others_have_the_memory);
    tcase_add_test(tests, answers_that_are_not_read_count_the_models_that_they_read_from);
    tcase_add_test(tests, a_version_that_is_not_served_any_more_counts_while_it_is_read);
    tcase_add_test(tests, a_model_that_is_larger_than_all_memory_is_served_by_itself);
    return suite_run(suite);
}
