/* tempotrond backup, check and restore, and what keeps a database to one server. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/copies.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/patterns.h"
#include "tests/support/program.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

static void start(void)
{
    fixture_start(FLAGS("--model-cache", "1K"));
    create_model(&server, model_with_encoder("one"));
    put_both(&server, "a");
}

static void delete_model(void)
{
    struct http_answer answer = ask(204, "DELETE", "/models/one", NULL);
    http_answer_finish(&answer);
}

static void expect_no_file(const char *name)
{
    char path[SERVICE_PATH];
    snprintf(path, sizeof path, "%s/%s", server.directory, name);
    ck_assert_int_ne(access(path, F_OK), 0);
}

START_TEST(a_backup_of_a_running_server_brings_back_what_it_had)
{
    copies_run(0, "backup", "copy");
    copies_run(0, "check", "copy");
    delete_model();
    copies_run(1, "restore", "copy"); /* the server runs */
    expect_refused("GET", "/models/one", NULL, 404, "model_not_found", NULL);
    service_stop(&server);
    copies_run(0, "restore", "copy");
    service_restart(&server);
    json_decref(ask_json("/models/one/evaluate", "{\"dataset\": \"a\"}"));
    copies_remove();
}
END_TEST

START_TEST(a_backup_replaces_no_file)
{
    copies_run(0, "backup", "copy");
    copies_run(1, "backup", "copy");
    copies_remove();
}
END_TEST

START_TEST(a_backup_that_meets_the_limit_of_files_says_so_and_leaves_nothing)
{
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit small = {8192, before.rlim_max};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    const struct program_result result =
        program_run(server.directory, FLAGS("backup", "copy", "--db", server.database));
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    expect_program_failure(&result, "copy: the disk is full");
    expect_no_file("copy.part");
}
END_TEST

START_TEST(a_damaged_copy_is_not_restored)
{
    static const char *const damages[] = {
        "UPDATE models SET config = replace(config, '15', '16')",
        "UPDATE chunks SET data = zeroblob(length(data)) WHERE array = 1",
        "UPDATE arrays SET dtype = 'int8' WHERE id = 1",
    };
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        char copy[16];
        struct service damaged = server;
        snprintf(copy, sizeof copy, "copy-%zu", i);
        copies_run(0, "backup", copy);
        snprintf(damaged.database, sizeof damaged.database, "%s/%s", server.directory, copy);
        damage_database(&damaged, damages[i]);
        copies_run(1, "check", copy);
    }
    service_stop(&server);
    copies_run(1, "restore", "copy-0");
    service_restart(&server);
    json_decref(ask_json("/models/one/evaluate", "{\"dataset\": \"a\"}"));
    copies_remove();
}
END_TEST

/* Damages a copy, and expects that a check of it tells of this. */
static void expect_finding(const char *damage, const char *finding)
{
    struct service damaged = server;
    copies_run(0, "backup", "copy");
    snprintf(damaged.database, sizeof damaged.database, "%s/copy", server.directory);
    change_database(&damaged, damage);
    const struct program_result result = program_run(server.directory, FLAGS("check", "copy"));
    ck_assert_int_eq(result.status, 1);
    ck_assert_msg(strstr(result.error, finding) != NULL, "%s: %s", damage, result.error);
    copies_remove();
}

START_TEST(a_check_tells_of_everything_that_is_damaged)
{
    static const struct {
        const char *damage, *finding;
    } cases[] = {
        {"DELETE FROM runs WHERE id = 1; UPDATE samples SET data = zeroblob(length(data))",
         "samples 1: they are damaged"},
        {"UPDATE samples SET sha256 = replace(sha256, 'a', 'b')", "samples 1: they are damaged"},
        {"INSERT INTO samples (sha256, kind, count, features, data, label) SELECT 'x', kind, "
         "count, features, data, label FROM samples; UPDATE runs SET samples = 2",
         "run 1: its samples are others"},
        {"UPDATE versions SET sha256 = replace(sha256, 'a', 'b') WHERE drawn",
         "version 1 of model drawn: its weights are damaged"},
        {"UPDATE versions SET drawn = 1 WHERE version = 2",
         "version 2 of model drawn: its weights are damaged"},
        {"UPDATE versions SET drawn = 1 WHERE version = 2",
         "version 2 of model number 2: it has weights that should follow from the seed"},
        {"UPDATE versions SET drawn = 0", "version 1 of model drawn: its weights are damaged"},
        {"UPDATE tensors SET rows = columns, columns = rows",
         "version 2 of model drawn: its weights are damaged"},
        {"UPDATE tensors SET name = 'hidden_0'",
         "version 2 of model drawn: its weights are damaged"},
        {"DELETE FROM tensors", "version 2 of model drawn: its weights are damaged"},
        {"DELETE FROM versions", "model drawn: it serves a version that it does not have"},
        {"DELETE FROM models WHERE id = 'drawn'",
         "version 2 of model number 2: there is no such model"},
        {"INSERT INTO removed_models VALUES (2)", "model drawn: it is there and noted as deleted"},
        {"UPDATE chunks SET data = zeroblob(length(data)) WHERE array = (SELECT array FROM "
         "checkpoints)",
         "run 1: its row or its checkpoint is damaged"},
        {"UPDATE runs SET params = '{}'", "run 1: its row or its checkpoint is damaged"},
        {"UPDATE metrics SET run = 7", "metrics of run 7: there is no such run"},
        {"INSERT INTO removed_runs VALUES (1)", "run 1: it is there and noted as deleted"},
        {"DELETE FROM arrays WHERE id = (SELECT array FROM checkpoints)",
         "references: checkpoints"},
    };
    create_pattern_model(&server, "drawn");
    json_decref(run_succeed(&server, "drawn", pattern_order(2, 1)));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_finding(cases[i].damage, cases[i].finding);
}
END_TEST

/* A server that is killed has not swept all that belongs to nothing. */
START_TEST(what_waits_to_be_swept_is_no_damage)
{
    struct service copy = server;
    create_pattern_model(&server, "gone");
    json_decref(run_succeed(&server, "gone", pattern_order(2, 1)));
    copies_run(0, "backup", "copy");
    snprintf(copy.database, sizeof copy.database, "%s/copy", server.directory);
    change_database(&copy,
                    "PRAGMA foreign_keys = ON; INSERT INTO removed_models SELECT sequence FROM "
                    "models WHERE id = "
                    "'gone'; DELETE FROM checkpoints; DELETE FROM runs; "
                    "DELETE FROM models WHERE id = 'gone'");
    copies_run(0, "check", "copy");
    copies_remove();
}
END_TEST

static void refuse_second_server(const char *database)
{
    const struct program_result result =
        program_run(server.directory, FLAGS("--listen", "127.0.0.1:0", "--db", database));
    ck_assert_int_eq(result.status, 1);
    ck_assert_ptr_nonnull(strstr(result.error, "another tempotrond uses it"));
}

START_TEST(a_second_server_is_refused_by_any_name_of_the_file)
{
    char other[SERVICE_PATH];
    snprintf(other, sizeof other, "%s/other", server.directory);
    ck_assert_int_eq(link(server.database, other), 0);
    refuse_second_server(other);
    ck_assert_int_eq(unlink(other), 0);
    ck_assert_int_eq(rename(server.database, other), 0);
    refuse_second_server(other);
    ck_assert_int_eq(rename(other, server.database), 0);
    copies_remove();
}
END_TEST

START_TEST(a_server_whose_file_is_gone_or_replaced_is_not_ready)
{
    char other[SERVICE_PATH];
    snprintf(other, sizeof other, "%s/other", server.directory);
    service_restart(&server); /* what its log had is in the file */
    ck_assert_int_eq(rename(server.database, other), 0);
    expect_refused("GET", "/health/ready", NULL, 503, "store_unavailable", NULL);
    copies_run(0, "check", other);
    ck_assert_int_eq(rename(other, server.database), 0);
    struct http_answer answer = ask(200, "GET", "/health/ready", NULL);
    http_answer_finish(&answer);
    copies_remove();
}
END_TEST

static void expect_not_ready(const char *text)
{
    struct http_answer answer = ask(503, "GET", "/health/ready", NULL);
    ck_assert_ptr_nonnull(strstr(answer.body, text));
    http_answer_finish(&answer);
}

static long create(const char *id)
{
    char body[128];
    snprintf(body, sizeof body,
             "{\"id\": \"%s\", \"in_features\": 2, \"out_features\": 2, \"T\": 10}", id);
    struct http_answer answer = http_send(&server, "POST", "/models", body, NULL, NULL);
    const long status = answer.status;
    if (status != 201) { /* it says nothing of a model that never was */
        expect_problem(&answer, 500, "damaged_data");
        ck_assert_ptr_null(strstr(answer.body, id));
        ck_assert_ptr_nonnull(strstr(answer.body, "The file of the database, or its -wal, is "));
    }
    http_answer_finish(&answer);
    return status;
}

START_TEST(a_log_that_is_cut_or_deleted_turns_readiness_off)
{
    char log[SERVICE_PATH + 8];
    service_restart(&server);
    ck_assert_int_eq(create("before"), 201);
    http_await_readiness(&server, 200);
    snprintf(log, sizeof log, "%s-wal", server.database);
    ck_assert_int_eq(_i == 0 ? truncate(log, 0) : unlink(log), 0);
    create("after");
    expect_not_ready("or its -wal, was deleted, replaced or cut while the server runs");
    copies_remove();
}
END_TEST

/* Every page but the first, of which SQLite would say that this is no database. */
static void overwrite_pages(void)
{
    static char page[4096];
    struct stat about;
    const int file = open(server.database, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(fstat(file, &about), 0);
    memset(page, 0xff, sizeof page);
    for (off_t at = sizeof page; at < about.st_size; at += (off_t)sizeof page)
        ck_assert_int_eq(pwrite(file, page, sizeof page, at), sizeof page);
    close(file);
}

START_TEST(a_write_that_meets_damaged_pages_turns_readiness_off)
{
    service_restart(&server);
    http_await_readiness(&server, 200);
    overwrite_pages();
    ck_assert_int_eq(create("never"), 500);
    expect_not_ready("or its -wal, is damaged. Stop the server");
    expect_not_ready("or its -wal, is damaged. Stop the server"); /* asking makes nothing whole */
    copies_remove();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("maintenance");
    TCase *tests = fixture_case(suite, "maintenance", start);
    tcase_add_test(tests, a_backup_of_a_running_server_brings_back_what_it_had);
    tcase_add_test(tests, a_backup_replaces_no_file);
    tcase_add_test(tests, a_backup_that_meets_the_limit_of_files_says_so_and_leaves_nothing);
    tcase_add_test(tests, a_damaged_copy_is_not_restored);
    tcase_add_test(tests, a_check_tells_of_everything_that_is_damaged);
    tcase_add_test(tests, what_waits_to_be_swept_is_no_damage);
    tcase_add_test(tests, a_second_server_is_refused_by_any_name_of_the_file);
    tcase_add_test(tests, a_server_whose_file_is_gone_or_replaced_is_not_ready);
    tcase_add_loop_test(tests, a_log_that_is_cut_or_deleted_turns_readiness_off, 0, 2);
    tcase_add_test(tests, a_write_that_meets_damaged_pages_turns_readiness_off);
    return suite_run(suite);
}
