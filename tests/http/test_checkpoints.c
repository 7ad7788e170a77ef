/* Runs that go on where they were: after a stop, after a kill within an epoch, and not for ever. */
#include <check.h>
#include <poll.h>
#include <stdio.h>
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

static void start(void)
{
    fixture_start(FLAGS("--workers", "2", "--checkpoint-interval", "1"));
}

static int64_t checkpoints(void)
{
    return number_in_database(&server, "SELECT count(*) FROM checkpoints");
}

static int64_t arrays(void)
{
    return number_in_database(&server, "SELECT count(*) FROM arrays JOIN chunks ON array = id");
}

static bool is_in_log(const char *line)
{
    char *log = service_log(&server);
    const bool is_there = strstr(log, line) != NULL;
    free(log);
    return is_there;
}

static void await_in_log(const char *line)
{
    for (int patience = service_patience(); !is_in_log(line); patience--) {
        ck_assert_int_gt(patience, 0);
        poll(NULL, 0, 1);
    }
}

static void delete_model(const char *id)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s", id);
    struct http_answer answer = http_send(&server, "DELETE", path, NULL, NULL);
    ck_assert_int_eq(answer.status, 204);
    http_answer_finish(&answer);
}

/* --- stops --- */

static json_t *order_with_patience(int epochs)
{
    json_t *order = pattern_order(epochs, 3);
    json_object_update_new(order,
                           json_pack("{s:f, s:i, s:f, s:i}", "validation_fraction", 0.2, "patience",
                                     epochs, "input_dropout", 0.1, "checkpoint_every", epochs / 4));
    return order;
}

static json_t *plain_order(int epochs)
{
    return pattern_order(epochs, 1);
}

static const struct run_recipe recipes[] = {{create_pattern_model, plain_order},
                                            {create_pattern_model, order_with_patience}};

START_TEST(a_stopped_run_goes_on_where_it_was)
{
    char stopped[RUN_MODEL], calm[RUN_MODEL];
    const json_int_t id = run_survives(&server, &recipes[_i], service_stop, stopped, calm);
    char line[64];
    snprintf(line, sizeof line, " run=%lld model=%s state=continued ", (long long)id, stopped);
    await_in_log(line);
    json_t *expected = newest_version(&server, calm), *found = newest_version(&server, stopped);
    ck_assert_str_eq(member_string(found, "sha256"), member_string(expected, "sha256"));
    ck_assert_int_eq(member_integer(found, "version"), member_integer(expected, "version"));
    expect_equal_metrics(&server, id, member_integer(expected, "run"));
    json_decref(expected);
    json_decref(found);
}
END_TEST

/* --- kills --- */

/* A task whose epochs are long: as many samples as are asked for, one in each batch. */
static json_int_t queue_long_epochs(const char *model, int samples)
{
    json_t *batch = json_array(), *classes = json_array();
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i}", "id", model, "in_features", 2,
                                    "out_features", 8, "T", 2000));
    for (int i = 0; i < samples; i++) {
        json_array_append_new(batch, json_pack("[i, i]", i % 1999, i % 777));
        json_array_append_new(classes, json_integer(i % 8));
    }
    return run_queue(&server, model,
                     json_pack("{s:o, s:o, s:i, s:i, s:s, s:s}", "in_spikes", batch, "label",
                               classes, "batch_size", 1, "epochs", 2, "optimizer", "adam", "loss",
                               "cross_entropy"));
}

static bool has_checkpoint_or_ended(const json_t *run)
{
    return checkpoints() > 0 || run_has_ended(run);
}

/* Until the first epoch of a run is long enough. */
static json_int_t kill_within_epoch(int *samples)
{
    for (*samples = 5000;; *samples *= 3) {
        char model[RUN_MODEL];
        snprintf(model, sizeof model, "killed-%d", *samples);
        const json_int_t id = queue_long_epochs(model, *samples);
        json_decref(run_await(&server, id, has_checkpoint_or_ended));
        service_kill(&server);
        const bool is_within =
            number_in_database(&server, "SELECT count(*) FROM checkpoints c JOIN runs r ON r.id = "
                                        "c.run WHERE c.epoch = 0 AND r.state = 'running'") == 1;
        service_restart(&server);
        if (is_within)
            return id;
        json_decref(run_await(&server, id, run_has_ended));
        delete_model(model);
    }
}

START_TEST(a_run_killed_within_an_epoch_goes_on_from_its_checkpoint)
{
    int samples;
    const json_int_t id = kill_within_epoch(&samples);
    json_t *run = run_await(&server, id, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "succeeded");
    await_in_log(" state=continued code=- epoch=0 ");
    const json_int_t calm = queue_long_epochs("calm", samples);
    json_decref(run_await(&server, calm, run_has_ended));
    expect_equal_weights(&server, "calm", member_string(run, "model"));
    expect_equal_metrics(&server, id, calm);
    json_decref(run);
}
END_TEST

/* A run that begins again shows its old epochs for a moment, and one that is stopped while it loads
 * has no checkpoint yet. */
static void stop_with_checkpoint(json_int_t id)
{
    for (;;) {
        json_decref(run_await(&server, id, run_has_begun));
        json_decref(run_await(&server, id, run_is_running));
        service_stop(&server);
        if (checkpoints() == 1)
            return;
        service_restart(&server);
    }
}

START_TEST(a_damaged_checkpoint_is_dropped_and_the_run_begins_again)
{
    static const char *const damages[] = {
        "UPDATE chunks SET data = zeroblob(length(data))",
        "UPDATE arrays SET sha256 = 'no'",
        "DELETE FROM chunks",
        "UPDATE checkpoints SET epoch = epoch + 1",
    };
    const int epochs = 8000;
    create_pattern_model(&server, "a");
    const json_int_t id = queue_patterns(&server, "a", epochs);
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        stop_with_checkpoint(id);
        change_database(&server, damages[i]);
        service_restart(&server);
        await_in_log(" run=1 model=a state=restarted code=damaged_data ");
    }
    json_decref(run_await(&server, id, run_has_ended));
    create_pattern_model(&server, "calm");
    const json_int_t calm = queue_patterns(&server, "calm", epochs);
    json_decref(run_await(&server, calm, run_has_ended));
    expect_equal_weights(&server, "calm", "a");
    expect_equal_metrics(&server, id, calm);
}
END_TEST

/* --- crashes in a row --- */

static void crash_while_it_trains(json_int_t id)
{
    json_decref(run_await(&server, id, run_is_running));
    service_kill(&server);
    service_restart(&server);
}

START_TEST(a_run_that_was_running_at_three_crashes_in_a_row_fails)
{
    fixture_start(FLAGS("--log", "errors"));
    create_pattern_model(&server, "a");
    const json_int_t id = queue_patterns(&server, "a", RUN_ENDLESS);
    crash_while_it_trains(id);
    crash_while_it_trains(id);
    json_decref(run_await(&server, id, run_is_running));
    service_restart(&server); /* a stop: they are counted anew */
    crash_while_it_trains(id);
    crash_while_it_trains(id);
    crash_while_it_trains(id);
    json_t *run = run_get(&server, id);
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert(run_has_ended(run));
    const json_t *error = json_object_get(run, "error");
    ck_assert_str_eq(member_string(error, "code"), "crashed");
    ck_assert_ptr_nonnull(strstr(member_string(error, "detail"), "3 times in a row"));
    json_decref(run);
    ck_assert_int_eq(checkpoints(), 0);
    json_decref(run_succeed(&server, "a", pattern_order(1, 1)));
}
END_TEST

START_TEST(a_stop_while_the_disk_is_full_is_no_crash)
{
    fixture_start(FLAGS("--log", "errors"));
    create_pattern_model(&server, "a");
    const json_int_t id = queue_patterns(&server, "a", RUN_ENDLESS);
    for (int stop = 0; stop <= LIMIT_CRASHES; stop++) {
        json_decref(run_await(&server, id, run_is_running));
        service_limit_files(&server, 1);
        service_stop(&server);
        ck_assert_int_eq(
            number_in_database(&server, "SELECT count(*) FROM runs WHERE state = 'running'"), 1);
        service_restart(&server);
    }
    json_decref(run_await(&server, id, run_is_running));
    crash_while_it_trains(id);
    crash_while_it_trains(id);
    json_decref(run_await(&server, id, run_is_running));
}
END_TEST

/* --- what is kept --- */

START_TEST(a_model_keeps_the_state_of_its_last_ended_run)
{
    create_pattern_model(&server, "a");
    create_pattern_model(&server, "b");
    json_decref(run_succeed(&server, "a", pattern_order(2, 1)));
    json_decref(run_succeed(&server, "b", pattern_order(2, 1)));
    json_decref(run_succeed(&server, "a", pattern_order(3, 1)));
    ck_assert_int_eq(number_in_database(&server, "SELECT group_concat(run) = '2,3' FROM (SELECT "
                                                 "run FROM checkpoints ORDER BY run)"),
                     1);
    ck_assert_int_eq(arrays(), 2);
    delete_model("a");
    ck_assert_int_eq(arrays(), 1);
    service_restart(&server);
    ck_assert_int_eq(arrays(), 1);
}
END_TEST

START_TEST(versions_of_chosen_epochs_are_kept_and_not_served)
{
    create_pattern_model(&server, "a");
    json_t *order = pattern_order(7, 1);
    json_object_set_new(order, "checkpoint_every", json_integer(3));
    json_t *run = run_succeed(&server, "a", order);
    ck_assert_int_eq(member_integer(run, "version"), 4);
    json_t *kept =
        json_pack("[{s:i, s:i}, {s:i, s:i}]", "epoch", 3, "version", 2, "epoch", 6, "version", 3);
    ck_assert(json_equal(json_object_get(run, "kept_versions"), kept));
    ck_assert_int_eq(member_integer(json_object_get(run, "params"), "checkpoint_every"), 3);
    json_decref(kept);
    json_decref(run);
    ck_assert_int_eq(served_version(&server, "a"), 4);

    create_pattern_model(&server, "shorter"); /* an earlier end has the weights of that epoch */
    json_decref(run_succeed(&server, "shorter", pattern_order(3, 1)));
    json_t *list = http_get(&server, "/models/a/versions"),
           *shorter = newest_version(&server, "shorter");
    const json_t *third = json_array_get(json_object_get(list, "versions"), 2);
    ck_assert_int_eq(member_integer(third, "version"), 2);
    ck_assert_int_eq(member_integer(third, "epoch"), 3);
    ck_assert_str_eq(member_string(third, "sha256"), member_string(shorter, "sha256"));
    json_decref(shorter);
    json_decref(list);
}
END_TEST

START_TEST(too_many_kept_versions_are_refused)
{
    create_pattern_model(&server, "a");
    json_t *order = pattern_order(1010, 1);
    json_object_set_new(order, "checkpoint_every", json_integer(10));
    struct http_answer answer = run_order(&server, "a", order, NULL);
    ck_assert_int_eq(answer.status, 422);
    ck_assert_str_eq(member_string(answer.json, "code"), "out_of_range");
    http_answer_finish(&answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoints");
    TCase *tests = fixture_case(suite, "checkpoints", start);
    tcase_add_loop_test(tests, a_stopped_run_goes_on_where_it_was, 0, ROWS(recipes));
    tcase_add_test(tests, a_run_killed_within_an_epoch_goes_on_from_its_checkpoint);
    tcase_add_test(tests, a_damaged_checkpoint_is_dropped_and_the_run_begins_again);
    tcase_add_test(tests, a_run_that_was_running_at_three_crashes_in_a_row_fails);
    tcase_add_test(tests, a_stop_while_the_disk_is_full_is_no_crash);
    tcase_add_test(tests, a_model_keeps_the_state_of_its_last_ended_run);
    tcase_add_test(tests, versions_of_chosen_epochs_are_kept_and_not_served);
    tcase_add_test(tests, too_many_kept_versions_are_refused);
    return suite_run(suite);
}
