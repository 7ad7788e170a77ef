/* What clients can do about runs, over HTTP: wait for them, cancel them, queue one after the
 * other. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/patterns.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

START_TEST(waiting_answers_200_with_the_finished_run)
{
    create_pattern_model(&server, "a");
    struct http_answer answer = run_order(&server, "a", pattern_order(5, 1), "Prefer: wait=600");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(member_string(answer.json, "state"), "succeeded");
    ck_assert_int_eq(member_integer(answer.json, "epoch"), 5);
    ck_assert_int_eq(member_integer(answer.json, "version"), 2);
    http_expect_location(&answer, "/models/a/train", "/runs/1");
    ck_assert_str_eq(http_header(&answer, "preference-applied"), "wait=600");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(waiting_in_vain_answers_202_with_the_run_so_far)
{
    create_pattern_model(&server, "a");
    struct http_answer answer =
        run_order(&server, "a", pattern_order(RUN_ENDLESS, 1), "Prefer: wait=1");
    ck_assert_int_eq(answer.status, 202);
    ck_assert_str_eq(member_string(answer.json, "state"), "running");
    http_expect_location(&answer, "/models/a/train", "/runs/1");
    ck_assert_str_eq(http_header(&answer, "preference-applied"), "wait=1");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(without_prefer_wait_the_answer_is_202)
{
    create_pattern_model(&server, "a");
    struct http_answer answer = run_order(&server, "a", pattern_order(5, 1), NULL);
    ck_assert_int_eq(answer.status, 202);
    ck_assert_ptr_null(http_header(&answer, "preference-applied"));
    http_expect_location(&answer, "/models/a/train", "/runs/1");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_queued_run_is_cancelled_at_once)
{
    create_pattern_model(&server, "a");
    const json_int_t running = queue_patterns(&server, "a", RUN_ENDLESS),
                     queued = queue_patterns(&server, "a", RUN_ENDLESS);
    json_t *run = run_cancel(&server, queued, 202);
    ck_assert_str_eq(member_string(run, "state"), "cancelled");
    ck_assert(json_is_null(json_object_get(run, "started_at")));
    ck_assert(run_has_ended(run));
    json_decref(run);
    json_t *problem = run_cancel(&server, queued, 409);
    ck_assert_str_eq(member_string(problem, "code"), "run_ended");
    json_decref(problem);
    run_await_begun(&server, running);
}
END_TEST

START_TEST(a_running_run_is_cancelled_and_publishes_nothing)
{
    create_pattern_model(&server, "a");
    const json_int_t id = queue_patterns(&server, "a", RUN_ENDLESS);
    run_await_begun(&server, id);
    json_decref(run_cancel(&server, id, 202));
    json_t *run = run_await(&server, id, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "cancelled");
    ck_assert_int_lt(member_integer(run, "epoch"), RUN_ENDLESS);
    ck_assert(json_is_null(json_object_get(run, "version")));
    ck_assert(json_is_null(json_object_get(run, "error")));
    json_decref(run);
    ck_assert_int_eq(served_version(&server, "a"), 1);
    json_decref(run_cancel(&server, id, 409));
}
END_TEST

/* The worker has not heard of it when the run comes to its end. */
START_TEST(a_cancellation_in_the_store_is_kept_at_the_last_moment)
{
    create_pattern_model(&server, "a");
    const json_int_t id = queue_patterns(&server, "a", 5000);
    json_decref(run_await(&server, id, run_is_running));
    change_database(&server, "UPDATE runs SET cancel_requested = 1 WHERE state = 'running'");
    json_t *run = run_await(&server, id, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "cancelled");
    ck_assert_int_eq(member_integer(run, "epoch"), 5000);
    ck_assert(json_is_null(json_object_get(run, "version")));
    json_decref(run);
    ck_assert_int_eq(served_version(&server, "a"), 1);
}
END_TEST

/* A model whose voltages are beyond what a float holds. */
static void create_overflowing_model(const char *id)
{
    json_t *weight = json_array();
    for (size_t i = 0; i < PATTERN_CLASSES; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < PATTERN_AFFERENTS; j++)
            json_array_append_new(row, json_real(3e38));
        json_array_append_new(weight, row);
    }
    create_model(&server,
                 json_pack("{s:s, s:i, s:i, s:i, s:o}", "id", id, "in_features", PATTERN_AFFERENTS,
                           "out_features", PATTERN_CLASSES, "T", PATTERN_STEPS, "weight", weight));
}

/* One batch that would take far longer than anybody's patience. */
static json_int_t queue_long_batch(void)
{
    enum { LONG = 50000 };
    json_t *samples = json_array(), *classes = json_array();
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i}", "id", "long", "in_features", 1,
                                    "out_features", 160, "T", 100000));
    for (int i = 0; i < LONG; i++) {
        json_array_append_new(samples, json_pack("[i]", 0));
        json_array_append_new(classes, json_integer(i % 160));
    }
    const json_int_t run = run_queue(
        &server, "long",
        json_pack("{s:o, s:o, s:i}", "in_spikes", samples, "label", classes, "batch_size", LONG));
    json_decref(run_await(&server, run, run_is_running));
    return run;
}

START_TEST(a_cancellation_ends_a_long_batch)
{
    const json_int_t run = queue_long_batch();
    json_decref(run_cancel(&server, run, 202));
    json_t *ended = run_await(&server, run, run_has_ended);
    ck_assert_str_eq(member_string(ended, "state"), "cancelled");
    json_decref(ended);
}
END_TEST

START_TEST(a_stop_ends_a_long_batch)
{
    queue_long_batch();
    service_stop(&server);
}
END_TEST

START_TEST(a_diverging_run_fails_and_publishes_nothing)
{
    create_overflowing_model("a");
    json_t *run = run_finish(&server, "a", pattern_order(100, 1));
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(run, "error"), "code"), "diverged");
    ck_assert(json_is_null(json_object_get(run, "version")));
    json_decref(run);
    json_t *newest = newest_version(&server, "a");
    ck_assert_int_eq(member_integer(newest, "version"), 1);
    json_decref(newest);
    json_decref(http_get(&server, "/health/ready"));
}
END_TEST

/* Neurons that overflow and would fire at no time that is a number. */
START_TEST(a_run_whose_hidden_spikes_overflow_fails_too)
{
    create_model_of_text(&server,
                         "{\"id\": \"deep\", \"in_features\": 2, \"hidden\": [2], "
                         "\"hidden_spike\": \"crossing\", \"out_features\": 2, \"T\": 10}");
    json_decref(http_call(&server, 200, "PUT", "/models/deep/weights",
                          json_pack("{s[[ff][ff]]s[[ff][ff]]}", "hidden_0", 1e38, 3e38, 3e38, -3e38,
                                    "weight", 1., 1., 1., 1.)));
    json_t *predicted =
        http_call(&server, 200, "POST", "/models/deep/predict",
                  json_pack("{s[[ii]]s[s]}", "in_spikes", 0, 0, "ret_type", "hidden_spikes"));
    const json_t *spikes = json_object_get(json_object_get(predicted, "hidden_spikes"), "hidden_0");
    ck_assert(json_is_null(json_array_get(json_array_get(spikes, 0), 0)));
    json_decref(predicted);
    json_t *run = run_finish(
        &server, "deep",
        json_pack("{s[[ii][ii]]s[ii]si}", "in_spikes", 0, 0, 0, 1, "label", 0, 1, "epochs", 1));
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(run, "error"), "code"), "diverged");
    ck_assert(json_is_null(json_object_get(run, "version")));
    json_decref(run);
}
END_TEST

START_TEST(every_end_of_a_run_is_logged)
{
    fixture_start(NULL);
    create_pattern_model(&server, "a");
    create_overflowing_model("b");
    json_decref(run_finish(&server, "a", pattern_order(5, 1)));
    json_decref(run_finish(&server, "b", pattern_order(100, 1)));
    service_await_log(&server, " run=1 model=a state=succeeded code=- epoch=5 ms=");
    service_await_log(&server, " run=2 model=b state=failed code=diverged epoch=0 ms=");
    const json_int_t third = queue_patterns(&server, "a", RUN_ENDLESS);
    run_await_begun(&server, third);
    json_decref(run_cancel(&server, third, 202));
    json_decref(run_await(&server, third, run_has_ended));
    service_await_log(&server, " run=3 model=a state=cancelled code=- epoch=");
    run_await_begun(&server, queue_patterns(&server, "a", RUN_ENDLESS));
    service_stop(&server);
    service_await_log(&server, " run=4 model=a state=interrupted code=- epoch=");
}
END_TEST

START_TEST(a_log_of_errors_has_only_failures)
{
    create_pattern_model(&server, "a");
    create_overflowing_model("b");
    json_decref(run_finish(&server, "a", pattern_order(5, 1)));
    json_decref(run_finish(&server, "b", pattern_order(100, 1)));
    service_await_log(&server, " run=2 model=b state=failed code=diverged epoch=0 ms=");
    char *log = service_log(&server);
    ck_assert_msg(strstr(log, "run=1") == NULL, "%s", log);
    free(log);
}
END_TEST

START_TEST(runs_of_a_model_queue_and_start_from_the_former_ones_version)
{
    create_pattern_model(&server, "queued");
    create_pattern_model(&server, "by-turns");
    queue_patterns(&server, "queued", 30);
    json_t *last = run_finish(&server, "queued", pattern_order(30, 1));
    ck_assert_int_eq(member_integer(last, "version"), 3);
    json_t *first = run_get(&server, 1);
    ck_assert_int_eq(member_integer(first, "version"), 2);
    ck_assert_int_le(run_time(first, "finished_at"), run_time(last, "started_at"));
    json_decref(first);
    json_decref(last);
    json_decref(run_finish(&server, "by-turns", pattern_order(30, 1)));
    json_decref(run_finish(&server, "by-turns", pattern_order(30, 1)));
    expect_equal_weights(&server, "by-turns", "queued");
    json_t *second = newest_version(&server, "queued");
    ck_assert_int_eq(member_integer(second, "version"), 3);
    json_decref(second);
}
END_TEST

START_TEST(runs_of_two_models_train_at_the_same_time)
{
    create_pattern_model(&server, "a");
    create_pattern_model(&server, "b");
    const json_int_t first = queue_patterns(&server, "a", RUN_ENDLESS),
                     second = queue_patterns(&server, "b", RUN_ENDLESS);
    run_await_begun(&server, first);
    run_await_begun(&server, second);
    json_decref(run_cancel(&server, first, 202));
    json_decref(run_cancel(&server, second, 202));
}
END_TEST

START_TEST(a_model_has_a_share_of_the_queue)
{
    create_pattern_model(&server, "a");
    create_pattern_model(&server, "b");
    run_await_begun(&server, queue_patterns(&server, "a", RUN_ENDLESS));
    for (int i = 0; i < LIMIT_QUEUED_RUNS_OF_MODEL; i++)
        run_queue(&server, "a", pattern_order(1, 1));
    struct http_answer refused = run_order(&server, "a", pattern_order(1, 1), NULL);
    expect_problem(&refused, 503, "queue_full");
    http_answer_finish(&refused);
    json_decref(run_succeed(&server, "b", pattern_order(1, 1)));
}
END_TEST

START_TEST(a_long_queue_of_a_model_does_not_hold_up_another_one)
{
    enum { EPOCHS = 20 };
    fixture_start(FLAGS("--workers", "1", "--log", "errors"));
    create_pattern_model(&server, "a");
    create_pattern_model(&server, "b");
    const json_int_t first = queue_patterns(&server, "a", RUN_ENDLESS);
    queue_patterns(&server, "a", EPOCHS);
    const json_int_t last_of_a = queue_patterns(&server, "a", EPOCHS),
                     only_of_b = queue_patterns(&server, "b", EPOCHS);
    json_decref(run_cancel(&server, first, 202));
    json_t *a = run_await(&server, last_of_a, run_has_ended),
           *b = run_await(&server, only_of_b, run_has_ended);
    ck_assert_int_le(run_time(b, "finished_at"), run_time(a, "started_at"));
    json_decref(a);
    json_decref(b);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("run_control");
    TCase *tests = fixture_case(suite, "runs", patterns_start);
    tcase_add_test(tests, waiting_answers_200_with_the_finished_run);
    tcase_add_test(tests, waiting_in_vain_answers_202_with_the_run_so_far);
    tcase_add_test(tests, without_prefer_wait_the_answer_is_202);
    tcase_add_test(tests, a_queued_run_is_cancelled_at_once);
    tcase_add_test(tests, a_running_run_is_cancelled_and_publishes_nothing);
    tcase_add_test(tests, a_cancellation_in_the_store_is_kept_at_the_last_moment);
    tcase_add_test(tests, a_cancellation_ends_a_long_batch);
    tcase_add_test(tests, a_stop_ends_a_long_batch);
    tcase_add_test(tests, a_diverging_run_fails_and_publishes_nothing);
    tcase_add_test(tests, a_run_whose_hidden_spikes_overflow_fails_too);
    tcase_add_test(tests, every_end_of_a_run_is_logged);
    tcase_add_test(tests, a_log_of_errors_has_only_failures);
    tcase_add_test(tests, runs_of_a_model_queue_and_start_from_the_former_ones_version);
    tcase_add_test(tests, runs_of_two_models_train_at_the_same_time);
    tcase_add_test(tests, a_model_has_a_share_of_the_queue);
    tcase_add_test(tests, a_long_queue_of_a_model_does_not_hold_up_another_one);
    return suite_run(suite);
}
