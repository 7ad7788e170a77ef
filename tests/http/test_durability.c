/* What the service keeps over time: runs that outlive a killed process, a stop, and a disk that is
 * full, and versions that outlive damage. The real binary is asked over real HTTP. */
#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/patterns.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- crashes --- */

START_TEST(a_run_answered_202_survives_a_kill)
{
    create_pattern_model(&server, "a");
    create_pattern_model(&server, "b");
    const json_int_t first = queue_patterns(&server, "a", 20),
                     second = queue_patterns(&server, "a", 20);
    const json_int_t third = queue_patterns(&server, "b", 20);
    service_kill(&server);
    service_restart(&server);
    const json_int_t ids[] = {first, second, third}, versions[] = {2, 3, 2};
    for (size_t i = 0; i < 3; i++) {
        json_t *run = run_await(&server, ids[i], run_has_ended);
        ck_assert_str_eq(member_string(run, "state"), "succeeded");
        ck_assert_int_eq(member_integer(run, "epoch"), 20);
        ck_assert_int_eq(member_integer(run, "version"), versions[i]);
        json_decref(run);
    }
    ck_assert_int_eq(served_version(&server, "a"), 3);
    ck_assert_int_eq(served_version(&server, "b"), 2);
}
END_TEST

static json_t *seeded_pattern_order(int epochs)
{
    return pattern_order(epochs, 1);
}

START_TEST(a_run_killed_in_its_middle_ends_with_the_same_bits)
{
    static const struct run_recipe recipe = {create_pattern_model, seeded_pattern_order};
    char killed[RUN_MODEL], calm[RUN_MODEL];
    const json_int_t id = run_survives(&server, &recipe, service_kill, killed, calm);
    json_t *expected = newest_version(&server, calm), *found = newest_version(&server, killed);
    ck_assert_int_eq(member_integer(found, "version"), 2);
    ck_assert_int_eq(member_integer(found, "run"), id);
    ck_assert_str_eq(member_string(found, "sha256"), member_string(expected, "sha256"));
    json_decref(expected);
    json_decref(found);
}
END_TEST

START_TEST(a_stop_interrupts_a_run_that_the_next_start_takes_up)
{
    create_pattern_model(&server, "a");
    const json_int_t id = queue_patterns(&server, "a", RUN_ENDLESS);
    run_await_begun(&server, id);
    service_restart(&server);
    json_decref(run_await(&server, id, run_is_running));
    json_decref(run_cancel(&server, id, 202));
    json_t *run = run_await(&server, id, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "cancelled");
    json_decref(run);
}
END_TEST

START_TEST(a_cancellation_survives_a_kill)
{
    create_pattern_model(&server, "a");
    const json_int_t running = queue_patterns(&server, "a", RUN_ENDLESS),
                     queued = queue_patterns(&server, "a", RUN_ENDLESS);
    run_await_begun(&server, running);
    json_decref(run_cancel(&server, queued, 202));
    json_decref(run_cancel(&server, running, 202));
    service_kill(&server);
    service_restart(&server);
    const json_int_t ids[] = {running, queued};
    for (size_t i = 0; i < 2; i++) {
        json_t *run = run_get(&server, ids[i]);
        ck_assert_str_eq(member_string(run, "state"), "cancelled");
        ck_assert(run_has_ended(run));
        json_decref(run);
    }
}
END_TEST

/* --- a store that is full --- */

enum { WIDE = 65536, WIDE_CLASSES = 4, WIDE_BYTES = 4 * WIDE * WIDE_CLASSES };

/* A sample of a model whose weights are far larger than a run's metrics. */
static json_t *wide_order(int epochs)
{
    json_t *sample = json_array();
    for (size_t i = 0; i < WIDE; i++)
        json_array_append_new(sample, json_integer((json_int_t)(i % 10)));
    return json_pack("{s:[o], s:[i], s:i}", "in_spikes", sample, "label", 0, "epochs", epochs);
}

/* How large the database's log is. */
static rlim_t log_size(void)
{
    char path[SERVICE_PATH + 8];
    struct stat file;
    snprintf(path, sizeof path, "%s-wal", server.database);
    ck_assert_int_eq(stat(path, &file), 0);
    return (rlim_t)file.st_size;
}

START_TEST(a_run_that_ends_on_a_full_disk_ends_when_there_is_room)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i}", "id", "wide", "in_features", WIDE,
                                    "out_features", WIDE_CLASSES, "T", 20));
    const json_int_t ahead = run_queue(&server, "wide", wide_order(RUN_ENDLESS));
    const json_int_t run = run_queue(&server, "wide", wide_order(1));
    run_await_begun(&server, ahead);
    service_limit_files(&server, log_size() + WIDE_BYTES / 2);
    json_decref(run_cancel(&server, ahead, 202));
    json_decref(run_await(&server, run, run_is_running));
    service_limit_files(&server, 1); /* now the server can't write at all, and knows it */
    http_await_readiness(&server, 503);
    json_t *waiting = run_get(&server, run);
    ck_assert_str_eq(member_string(waiting, "state"), "running");
    json_decref(waiting);

    service_limit_files(&server, RLIM_INFINITY);
    http_await_readiness(&server, 200);
    json_t *ended = run_await(&server, run, run_has_ended);
    ck_assert_str_eq(member_string(ended, "state"), "succeeded");
    ck_assert_int_eq(member_integer(ended, "version"), 2);
    json_decref(ended);
}
END_TEST

/* --- the database's file --- */

START_TEST(only_its_owner_can_read_the_database)
{
    struct stat file;
    ck_assert_int_eq(stat(server.database, &file), 0);
    ck_assert_uint_eq(file.st_mode & 0777, 0600);
}
END_TEST

static void expect_status(long status, const char *method, const char *path, const char *body)
{
    struct http_answer answer = http_send(&server, method, path, body, NULL);
    ck_assert_msg(answer.status == status, "%s %s: %ld %s", method, path, answer.status,
                  answer.body);
    http_answer_finish(&answer);
}

START_TEST(a_damaged_version_can_be_left_and_replaced)
{
    static const char pattern[] = "{\"in_spikes\": [[0,1,2,3,4,5,6,7]]}";
    create_pattern_model(&server, "a");
    json_decref(run_finish(&server, "a", pattern_order(1, 1)));
    service_stop(&server);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(server.database, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "UPDATE tensors SET data = zeroblob(length(data)) "
                                  "WHERE version = 2",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    service_restart(&server);
    expect_status(500, "POST", "/models/a/predict", pattern);
    expect_status(200, "POST", "/models/a/versions/1/predict", pattern);
    expect_status(404, "POST", "/models/a/versions/3/predict", pattern);
    expect_status(200, "PATCH", "/models/a", "{\"version\": 1}");
    expect_status(200, "POST", "/models/a/predict", pattern);
    expect_status(200, "PATCH", "/models/a", "{\"version\": 2}");
    expect_status(200, "PUT", "/models/a/weights",
                  "{\"weight\": [[0,0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0]]}");
    expect_status(200, "POST", "/models/a/predict", pattern);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("durability");
    TCase *tests = fixture_case(suite, "durability", patterns_start);
    tcase_add_test(tests, a_run_answered_202_survives_a_kill);
    tcase_add_test(tests, a_run_killed_in_its_middle_ends_with_the_same_bits);
    tcase_add_test(tests, a_stop_interrupts_a_run_that_the_next_start_takes_up);
    tcase_add_test(tests, a_cancellation_survives_a_kill);
    tcase_add_test(tests, a_run_that_ends_on_a_full_disk_ends_when_there_is_room);
    tcase_add_test(tests, only_its_owner_can_read_the_database);
    tcase_add_test(tests, a_damaged_version_can_be_left_and_replaced);
    return suite_run(suite);
}
