/* Ended runs that go on for more epochs: with the bits of one long run, and when they can't. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/networks.h"
#include "tests/support/patterns.h"
#include "tests/support/refusals.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

static struct http_answer resume(json_int_t id, int epochs, const char *header)
{
    char path[64], body[64];
    snprintf(path, sizeof path, "/runs/%lld/resume", (long long)id);
    snprintf(body, sizeof body, "{\"epochs\": %d}", epochs);
    return http_send(&server, "POST", path, body, header, NULL);
}

/* The new run, once it has ended. */
static json_t *resume_and_wait(json_int_t id, int epochs)
{
    struct http_answer answer = resume(id, epochs, "Prefer: wait=600");
    ck_assert_int_eq(answer.status, 200);
    json_t *run = json_incref(answer.json);
    ck_assert_str_eq(member_string(run, "state"), "succeeded");
    ck_assert_int_eq(member_integer(run, "continues"), id);
    http_answer_finish(&answer);
    return run;
}

static void refuse(json_int_t id, const char *reason)
{
    struct http_answer answer = resume(id, 5, NULL);
    ck_assert_int_eq(answer.status, 409);
    ck_assert_str_eq(member_string(answer.json, "code"), "run_not_resumable");
    ck_assert_msg(strstr(member_string(answer.json, "detail"), reason) != NULL, "%s",
                  member_string(answer.json, "detail"));
    http_answer_finish(&answer);
}

/* --- the same bits --- */

static json_t *order_of(int variant, int epochs)
{
    json_t *order = pattern_order(epochs, 5);
    if (variant == 1)
        json_object_update_new(order, json_pack("{s:f, s:f, s:f, s:i}", "learning_rate_decay", 0.9,
                                                "input_dropout", 0.2, "validation_fraction", 0.25,
                                                "patience", RUN_ENDLESS));
    return order;
}

static void expect_long_run(int variant, const json_t *run, const char *model)
{
    const int epochs = (int)member_integer(run, "epochs");
    create_pattern_model(&server, "long");
    json_t *calm = run_succeed(&server, "long", order_of(variant, epochs));
    expect_equal_weights(&server, "long", model);
    expect_equal_metrics(&server, member_integer(run, "id"), member_integer(calm, "id"));
    ck_assert(json_equal(json_object_get(run, "params"), json_object_get(calm, "params")));
    ck_assert(json_equal(json_object_get(run, "metrics"), json_object_get(calm, "metrics")));
    json_decref(calm);
}

START_TEST(a_finished_run_goes_on_like_one_long_run)
{
    create_pattern_model(&server, "a");
    json_t *first = run_succeed(&server, "a", order_of(_i, 4));
    json_t *second = resume_and_wait(member_integer(first, "id"), 3);
    ck_assert_int_eq(member_integer(second, "epoch"), 7);
    ck_assert_int_eq(member_integer(second, "base_version"), 1);
    ck_assert_int_eq(member_integer(second, "version"), 3);
    service_restart(&server);
    json_t *third = resume_and_wait(member_integer(second, "id"), 2);
    ck_assert_int_eq(member_integer(third, "epochs"), 9);
    expect_long_run(_i, third, "a");
    json_decref(third);
    json_decref(second);
    json_decref(first);
}
END_TEST

START_TEST(a_cancelled_run_goes_on_like_one_long_run)
{
    create_pattern_model(&server, "a");
    const json_int_t id = run_queue(&server, "a", order_of(_i, RUN_ENDLESS));
    run_await_begun(&server, id);
    json_decref(run_cancel(&server, id, 202));
    json_t *cancelled = run_await(&server, id, run_has_ended);
    json_t *run = resume_and_wait(id, 20);
    ck_assert_int_eq(member_integer(run, "epochs"), member_integer(cancelled, "epoch") + 20);
    ck_assert_int_eq(member_integer(run, "version"), 2);
    expect_long_run(_i, run, "a");
    json_decref(run);
    json_decref(cancelled);
}
END_TEST

START_TEST(a_resumed_run_whose_state_is_damaged_begins_again)
{
    create_pattern_model(&server, "a");
    json_t *first = run_succeed(&server, "a", order_of(0, 4));
    change_database(&server, "UPDATE chunks SET data = zeroblob(length(data))");
    json_t *second = resume_and_wait(member_integer(first, "id"), 3);
    expect_long_run(0, second, "a");
    json_decref(second);
    json_decref(first);
}
END_TEST

START_TEST(a_resumed_run_that_is_cancelled_in_the_queue_can_be_resumed)
{
    create_pattern_model(&server, "a");
    json_t *first = run_succeed(&server, "a", order_of(0, 4));
    const json_int_t ahead = queue_patterns(&server, "a", RUN_ENDLESS);
    json_decref(run_await(&server, ahead, run_is_running));
    struct http_answer answer = resume(member_integer(first, "id"), 100, NULL);
    ck_assert_int_eq(answer.status, 202);
    http_expect_location(&answer, "/runs/1/resume", "/runs/3");
    http_answer_finish(&answer);
    refuse(3, "is queued or running");
    json_decref(run_cancel(&server, 3, 202));
    struct http_answer again = resume(3, 5, NULL);
    ck_assert_int_eq(again.status, 202);
    ck_assert_int_eq(member_integer(again.json, "epochs"), 9);
    ck_assert_int_eq(member_integer(again.json, "epoch"), 4);
    http_answer_finish(&again);
    json_decref(run_cancel(&server, ahead, 202));
    json_t *run = run_await(&server, 4, run_has_ended);
    expect_long_run(0, run, "a");
    json_decref(run);
    json_decref(first);
}
END_TEST

/* --- runs that can't go on --- */

START_TEST(a_run_of_which_nothing_is_left_is_refused)
{
    create_pattern_model(&server, "a");
    json_t *first = run_succeed(&server, "a", order_of(0, 4));
    json_t *second = run_succeed(&server, "a", order_of(0, 4));
    refuse(1, "Nothing is left of the run 1");
    json_decref(resume_and_wait(2, 1));
    refuse(2, "Nothing is left of the run 2");
    const json_int_t ahead = queue_patterns(&server, "a", RUN_ENDLESS),
                     queued = queue_patterns(&server, "a", RUN_ENDLESS);
    refuse(ahead, "is queued or running");
    json_decref(run_cancel(&server, queued, 202));
    refuse(queued, "Nothing is left");
    json_decref(first);
    json_decref(second);
}
END_TEST

START_TEST(a_run_that_ended_by_its_patience_is_refused)
{
    create_pattern_model(&server, "a");
    json_t *order = pattern_order(1000, 5);
    json_object_update_new(order, json_pack("{s:f, s:i, s:i}", "validation_fraction", 0.25,
                                            "patience", 1, "learning_rate", 5));
    json_t *run = run_succeed(&server, "a", order);
    ck_assert_int_lt(member_integer(run, "epoch"), 1000);
    refuse(member_integer(run, "id"), "ended by its patience");
    json_decref(run);
}
END_TEST

START_TEST(a_run_whose_dataset_has_changed_is_refused)
{
    put_pictures(&server, "pictures", "<f4");
    create_network(&server, "a", 0, "");
    json_t *run = run_succeed(&server, "a", network_order(0, "pictures", 2));
    put_pictures(&server, "pictures", "<f8");
    refuse(member_integer(run, "id"), "has been replaced or deleted");
    put_pictures(&server, "pictures", "<f4");
    json_decref(resume_and_wait(member_integer(run, "id"), 2));
    struct http_answer deleted = ask(204, "DELETE", "/datasets/pictures", NULL);
    http_answer_finish(&deleted);
    refuse(2, "has been replaced or deleted");
    json_decref(run);
}
END_TEST

START_TEST(a_run_does_not_go_on_to_keep_too_many_versions)
{
    create_pattern_model(&server, "a");
    json_t *order = order_of(0, 2);
    json_object_set_new(order, "checkpoint_every", json_integer(1));
    json_decref(run_succeed(&server, "a", order));
    expect_refused("POST", "/runs/1/resume", "{\"epochs\": 200}", 422, "out_of_range", "/epochs");
    expect_refused("POST", "/runs/1/resume", "{\"epochs\": 99}", 422, "out_of_range", "/epochs");
    json_decref(
        http_call(&server, 202, "POST", "/runs/1/resume", json_pack("{s:i}", "epochs", 98)));
}
END_TEST

static const struct refusal wrong[] = {
    {"POST", "/runs/1/resume", "{}", 422, "missing_field", "/epochs"},
    {"POST", "/runs/1/resume", "{\"epochs\": 0}", 422, "out_of_range", "/epochs"},
    {"POST", "/runs/1/resume", "{\"epochs\": 99999}", 422, "out_of_range", "/epochs"},
    {"POST", "/runs/1/resume", "{\"epochs\": 1, \"seed\": 2}", 422, "unknown_field", "/seed"},
    {"POST", "/runs/1/resume", "[]", 422, "wrong_type", ""},
    {"POST", "/runs/9/resume", "{\"epochs\": 1}", 404, "run_not_found", NULL},
};

START_TEST(wrong_requests_are_refused)
{
    create_pattern_model(&server, "a");
    json_decref(run_succeed(&server, "a", order_of(0, 2)));
    for (int i = 0; i < ROWS(wrong); i++)
        expect_refusal_row(&wrong[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("resume");
    TCase *tests = fixture_case(suite, "resume", patterns_start);
    tcase_add_loop_test(tests, a_finished_run_goes_on_like_one_long_run, 0, 2);
    tcase_add_loop_test(tests, a_cancelled_run_goes_on_like_one_long_run, 0, 2);
    tcase_add_test(tests, a_resumed_run_whose_state_is_damaged_begins_again);
    tcase_add_test(tests, a_resumed_run_that_is_cancelled_in_the_queue_can_be_resumed);
    tcase_add_test(tests, a_run_of_which_nothing_is_left_is_refused);
    tcase_add_test(tests, a_run_that_ended_by_its_patience_is_refused);
    tcase_add_test(tests, a_run_whose_dataset_has_changed_is_refused);
    tcase_add_test(tests, a_run_does_not_go_on_to_keep_too_many_versions);
    tcase_add_test(tests, wrong_requests_are_refused);
    return suite_run(suite);
}
