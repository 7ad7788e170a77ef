/* Which files check, restore and a start take for a database of tempotrond, and where restore puts
 * one. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/copies.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/program.h"
#include "tests/support/suite.h"

static void start(void)
{
    fixture_start(NULL);
    create_plain_model(&server, "one");
    copies_run(0, "backup", "copy");
    service_stop(&server);
}

/* The path of a file beside the database; valid until the next call. */
static const char *path_of(const char *name)
{
    static char path[SERVICE_PATH];
    snprintf(path, sizeof path, "%s/%s", server.directory, name);
    return path;
}

static struct program_result run(const char *command, const char *file)
{
    return program_run(server.directory, FLAGS(command, file, "--db", server.database));
}

/* Neither is it checked, nor restored; the database stays. */
static void expect_refusal(const char *file, const char *why)
{
    char line[512];
    snprintf(line, sizeof line, "%s: %s", file, why);
    const struct program_result check = run("check", file), restore = run("restore", file);
    expect_program_failure(&check, line);
    expect_program_failure(&restore, line);
    ck_assert_int_eq(number_in_database(&server, "SELECT count(*) FROM models"), 1);
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

#define NO_DATABASE "it is not a database of tempotrond"
#define NO_FILE     "it is not a regular file"

START_TEST(what_is_no_backup_is_refused)
{
    write_file("other-empty", "");
    expect_refusal("other-empty", NO_DATABASE);
    write_file("other-byte", "x");
    expect_refusal("other-byte", NO_DATABASE);
    ck_assert_int_eq(mkfifo(path_of("other-pipe"), 0600), 0);
    expect_refusal("other-pipe", NO_FILE);
    expect_refusal("/dev/null", NO_FILE);
    write_file("other-log", "");
    ck_assert_int_eq(mkfifo(path_of("other-log-journal"), 0600), 0);
    expect_refusal("other-log", "its -journal, -wal or -shm is not a regular file");
    expect_refusal("/dev/zero", NO_FILE);
    expect_refusal(".", "Is a directory");
    expect_refusal("nowhere", "No such file or directory");
    copies_remove();
}
END_TEST

/* A database whose application_id and user_version are right. */
static const char *const alterations[] = {
    "DROP TABLE retries",
    "DROP TRIGGER deleted_runs_are_noted",
    "DROP INDEX runs_by_samples",
    "ALTER TABLE samples RENAME TO others; CREATE VIEW samples AS SELECT * FROM others",
    "ALTER TABLE models ADD COLUMN other TEXT",
    "CREATE TABLE other (text TEXT)",
    "CREATE INDEX other ON models (created_at)",
    "CREATE TRIGGER other AFTER UPDATE ON models BEGIN DELETE FROM versions; END",
    "CREATE TRIGGER other BEFORE INSERT ON models BEGIN SELECT count(*) FROM (WITH RECURSIVE n(i) "
    "AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n); END",
    "CREATE VIEW sqlite AS SELECT 1",
    "PRAGMA user_version = 0",
    "PRAGMA user_version = -1",
    "PRAGMA user_version = 9",
};

START_TEST(a_database_with_another_schema_is_refused)
{
    static const char why[] =
        "its tables, indices, views or triggers are not those that tempotrond makes";
    struct service copy = server;
    snprintf(copy.database, sizeof copy.database, "%s", path_of("copy"));
    change_database(&copy, alterations[_i]);
    expect_refusal("copy", why);
    const struct program_result result =
        program_run(server.directory, FLAGS("--listen", "127.0.0.1:0", "--db", "copy"));
    char line[256];
    snprintf(line, sizeof line, "copy: %s", why);
    expect_program_failure(&result, line);
    copies_remove();
}
END_TEST

START_TEST(statistics_of_analyze_are_no_other_schema)
{
    struct service copy = server;
    snprintf(copy.database, sizeof copy.database, "%s", path_of("copy"));
    change_database(&copy, "ANALYZE");
    copies_run(0, "check", "copy");
    copies_run(0, "restore", "copy");
    service_restart(&server);
    json_decref(ask_json("/models/one/predict", "{\"in_spikes\": [[0, 1]]}"));
    copies_remove();
}
END_TEST

/* SQLite would undo by it what it takes for a write that was cut off. */
START_TEST(a_copy_with_a_journal_is_refused_with_what_to_do)
{
    write_file("copy-journal", "what another program has left here");
    expect_refusal("copy",
                   "a write to it was cut off: open it once with sqlite3, which undoes that by its "
                   "-journal, or remove a -journal that is not its own");
    copies_remove();
}
END_TEST

START_TEST(the_file_may_stand_after_the_options)
{
    const struct program_result result =
        program_run(server.directory, FLAGS("backup", "--db", server.database, "copy-2"));
    char line[512];
    snprintf(line, sizeof line, "copy-2: a copy of %s\n", server.database);
    ck_assert_str_eq(result.out, line);
    const struct program_result two =
        program_run(server.directory, FLAGS("check", "copy", "--db", server.database, "copy-2"));
    expect_program_failure(&two, "\"copy-2\" is not an option: they begin with -- (see --help)");
    copies_remove();
}
END_TEST

START_TEST(restore_names_what_it_kept_only_if_there_was_something)
{
    ck_assert_int_eq(unlink(server.database), 0);
    const struct program_result first = run("restore", "copy");
    char line[512];
    snprintf(line, sizeof line, "%s: restored from copy", server.database);
    ck_assert_str_eq(first.out + strlen(line), "\n");
    ck_assert_int_eq(strncmp(first.out, line, strlen(line)), 0);
    const struct program_result second = run("restore", "copy");
    ck_assert_int_eq(second.status, 0);
    const char *kept = strstr(second.out, "; what was there is ");
    ck_assert_ptr_nonnull(kept);
    ck_assert_ptr_nonnull(strstr(kept, ".before-"));
    copies_remove();
}
END_TEST

START_TEST(restore_goes_to_where_a_link_leads)
{
    struct stat about;
    char link[SERVICE_PATH];
    snprintf(link, sizeof link, "%s", path_of("other-link"));
    ck_assert_int_eq(symlink(server.database, link), 0);
    change_database(&server, "DELETE FROM models");
    const struct program_result result =
        program_run(server.directory, FLAGS("restore", "copy", "--db", link));
    ck_assert_msg(result.status == 0, "%s", result.error);
    ck_assert_int_eq(lstat(link, &about), 0);
    ck_assert(S_ISLNK(about.st_mode));
    ck_assert_int_eq(number_in_database(&server, "SELECT count(*) FROM models"), 1);
    copies_remove();
}
END_TEST

/* SQLite would take them for parts of the new database. */
START_TEST(restore_puts_aside_what_stands_beside_the_old_database)
{
    static const char *const parts[] = {"-wal", "-shm", "-journal"};
    char path[SERVICE_PATH + 8];
    for (int i = 0; i < ROWS(parts); i++) {
        snprintf(path, sizeof path, "%s%s", server.database, parts[i]);
        FILE *file = fopen(path, "w");
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(fclose(file), 0);
    }
    copies_run(0, "restore", "copy");
    for (int i = 0; i < ROWS(parts); i++) {
        snprintf(path, sizeof path, "%s%s", server.database, parts[i]);
        ck_assert_int_ne(access(path, F_OK), 0);
    }
    copies_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("copies");
    TCase *tests = fixture_case(suite, "copies", start);
    tcase_add_test(tests, what_is_no_backup_is_refused);
    tcase_add_loop_test(tests, a_database_with_another_schema_is_refused, 0, ROWS(alterations));
    tcase_add_test(tests, statistics_of_analyze_are_no_other_schema);
    tcase_add_test(tests, a_copy_with_a_journal_is_refused_with_what_to_do);
    tcase_add_test(tests, the_file_may_stand_after_the_options);
    tcase_add_test(tests, restore_names_what_it_kept_only_if_there_was_something);
    tcase_add_test(tests, restore_goes_to_where_a_link_leads);
    tcase_add_test(tests, restore_puts_aside_what_stands_beside_the_old_database);
    return suite_run(suite);
}
