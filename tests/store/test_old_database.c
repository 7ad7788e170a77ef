/* A database that an earlier tempotrond wrote, with a run killed in its middle and one still
 * queued: this one opens it, answers as that one did, and trains what was left to the same bits.
 * See tests/golden/old_database.sh. */
#include <check.h>
#include <jansson.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

enum { KILLED_RUN = 7, QUEUED_RUN = 8 };

static char *read_text(const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_gt(getdelim(&text, &size, '\0', file), 0);
    fclose(file);
    return text;
}

static void write_database(const char *path)
{
    sqlite3 *db;
    char *sql = read_text("tests/golden/old_database.sql");
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    const int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    ck_assert_msg(result == SQLITE_OK, "%s", sqlite3_errmsg(db));
    sqlite3_close(db);
    free(sql);
}

static void start_on_old_database(void)
{
    fixture_start(NULL);
    service_stop(&server);
    ck_assert_int_eq(unlink(server.database), 0);
    write_database(server.database);
    ck_assert_int_eq(number_in_database(&server, "PRAGMA user_version"), 5);
    service_restart(&server);
}

static void remove_times(json_t *value)
{
    void *next;
    size_t index;
    const char *name;
    json_t *member;
    json_array_foreach(value, index, member)
        remove_times(member);
    json_object_foreach_safe(value, next, name, member)
    {
        if (strlen(name) > 3 && strcmp(name + strlen(name) - 3, "_at") == 0)
            json_object_del(value, name);
        else
            remove_times(member);
    }
}

static void expect_answer(const json_t *golden, bool with_times)
{
    const char *path = json_string_value(json_object_get(golden, "path"));
    json_t *body = json_object_get(golden, "body");
    json_t *expected = json_deep_copy(json_object_get(golden, "answer"));
    json_t *answer = http_call(&server, 200, json_string_value(json_object_get(golden, "method")),
                               path, json_is_null(body) ? NULL : json_incref(body));
    if (!with_times) {
        remove_times(expected);
        remove_times(answer);
    }
    char *text = json_dumps(answer, JSON_COMPACT),
         *expected_text = json_dumps(expected, JSON_COMPACT);
    ck_assert_msg(json_equal(answer, expected), "%s:\n%.1500s\ninstead of\n%.1500s", path, text,
                  expected_text);
    free(expected_text);
    free(text);
    json_decref(expected);
    json_decref(answer);
}

static void expect_same(const json_t *golden)
{
    expect_answer(golden, true);
}

static void expect_same_but_times(const json_t *golden)
{
    expect_answer(golden, false);
}

START_TEST(what_is_stored_is_answered_as_before)
{
    golden_each("old_database", expect_same);
    service_restart(&server);
    golden_each("old_database", expect_same);
}
END_TEST

START_TEST(runs_that_were_killed_or_queued_end_with_the_same_bits)
{
    json_decref(run_await(&server, KILLED_RUN, run_has_ended));
    json_decref(run_await(&server, QUEUED_RUN, run_has_ended));
    golden_each("old_database_resumed", expect_same_but_times);
    golden_each("old_database", expect_same);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("old database");
    TCase *tests = fixture_case(suite, "an earlier tempotrond", start_on_old_database);
    tcase_add_test(tests, what_is_stored_is_answered_as_before);
    tcase_add_test(tests, runs_that_were_killed_or_queued_end_with_the_same_bits);
    return suite_run(suite);
}
