/* The store's file: its settings, crashes, full disks, damage that no CHECK would let in, and the
 * plans of its statements. The tests look behind the store's back, by connections of their own and
 * at its statements. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/embedded.h"
#include "server/store/datasets.h"
#include "server/store/query.h"
#include "tests/support/stored.h"
#include "tests/support/suite.h"

/* --- opening --- */

START_TEST(connections_have_their_settings)
{
    struct store *reader;
    ck_assert_int_eq(store_open_reader(store_path, &reader), STORE_OK);
    ck_assert_int_eq(store_number(store, "PRAGMA application_id"), 0x746d7074); /* "tmpt" */
    ck_assert_int_eq(store_number(store, "PRAGMA user_version"),
                     (int64_t)embedded_migrations_count);
    ck_assert_int_eq(store_number(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"),
                     1);
    ck_assert_int_eq(store_number(store, "PRAGMA synchronous"), 2);   /* FULL */
    ck_assert_int_eq(store_number(store, "PRAGMA secure_delete"), 2); /* FAST */
    ck_assert_int_eq(store_number(store, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(store_number(store, "PRAGMA trusted_schema"), 0);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM pragma_table_list "
                                         "WHERE name NOT LIKE 'sqlite_%' AND NOT strict"),
                     0);
    ck_assert_int_gt(store_number(store, "PRAGMA wal_autocheckpoint"), 0);
    ck_assert_int_eq(store_number(reader, "PRAGMA wal_autocheckpoint"), 0);
    ck_assert_int_gt(store_number(reader, "PRAGMA busy_timeout"), 0);
    ck_assert_int_ne(query_execute(store, "SELECT \"no such column\""), STORE_OK);
    ck_assert_int_ne(query_execute(store, "DELETE FROM sqlite_schema"), STORE_OK);
    store_close(reader);
}
END_TEST

START_TEST(a_second_writer_by_another_name_is_refused)
{
    struct store *second = NULL;
    char link[320];
    snprintf(link, sizeof link, "%s.link", store_path);
    ck_assert_int_eq(symlink(store_path, link), 0);
    ck_assert_int_eq(store_open_writer(link, &second), STORE_LOCKED);
    ck_assert_ptr_null(second);
    ck_assert_int_eq(unlink(link), 0);
}
END_TEST

START_TEST(any_mark_of_another_program_is_respected)
{
    const char *const marks[] = {"CREATE TABLE notes (text TEXT)", "PRAGMA application_id = 7",
                                 "PRAGMA user_version = 1", NULL};
    for (int i = 0; marks[i] != NULL; i++) {
        store_remove();
        run_sql(marks[i]);
        ck_assert_int_eq(store_open_writer(store_path, &store), STORE_FOREIGN);
        ck_assert_ptr_null(store);
    }
}
END_TEST

/* --- crashes, full disks, damage --- */

/* A process of its own claims runs, and dies without a word. */
static void work_and_crash(void)
{
    const struct epoch_metrics epoch = {1, 0.5, 0.25, 0.5, 0.25};
    enum run_state state;
    int status;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        store_reopen();
        for (int i = 0; i < 2; i++)
            store_run_progress(store, claim_run(3000), &epoch, 1);
        store_queue_cancel(store, 3, 3500, &state);
        raise(SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void expect_run(int64_t run, enum run_state state, int64_t epoch, int64_t started_at,
                       int64_t finished_at)
{
    struct run_record record;
    ck_assert_int_eq(store_run_find(store, run, &record), STORE_OK);
    ck_assert_int_eq(record.state, state);
    ck_assert_int_eq(record.epoch, epoch);
    ck_assert_int_eq(record.started_at, started_at);
    ck_assert_int_eq(record.finished_at, finished_at);
    run_record_finish(&record);
}

START_TEST(what_a_killed_writer_committed_is_there)
{
    insert_model("iris");
    insert_model("mnist");
    insert_run("iris", NULL);
    insert_run("iris", NULL);
    insert_run("mnist", NULL);
    store_shut();
    work_and_crash();
    store_reopen();
    expect_run(1, RUN_RUNNING, 1, 3000, 0);
    ck_assert_int_eq(store_queue_take_up(store, 6000), STORE_OK);
    expect_run(1, RUN_QUEUED, 0, 0, 0);
    expect_run(2, RUN_QUEUED, 0, 0, 0);
    expect_run(3, RUN_CANCELLED, 1, 3000, 6000); /* as was asked for; its history stays */
    ck_assert_int_eq(claim_run(3000), 1);
    expect_weight("iris", 1, six);
}
END_TEST

START_TEST(a_full_disk_undoes_the_call)
{
    static float many[64 * 1024];
    const struct tensor big = {.name = "weight", .rows = 1, .columns = 64 * 1024, .values = many};
    int64_t version = -1;
    insert_model("iris");
    store_number(store, "PRAGMA max_page_count = 40");
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&big, 1), 2000, &version),
        STORE_FULL);
    ck_assert_int_eq(version, -1);
    ck_assert_int_eq(store_number(store, "SELECT count(*) FROM versions"), 1);
    store_number(store, "PRAGMA max_page_count = 100000");
    ck_assert_int_eq(
        store_version_insert(store, sequence_of("iris"), seal(&big, 1), 2000, &version), STORE_OK);
    ck_assert_int_eq(version, 2);
}
END_TEST

/* A broken disk asks no CHECK. */
#define UNCHECKED "PRAGMA ignore_check_constraints = ON; "

START_TEST(a_damaged_shape_of_a_tensor_is_detected)
{
    const char *const damages[] = {UNCHECKED "UPDATE tensors SET rows = 4000000",
                                   UNCHECKED "UPDATE tensors SET columns = -3",
                                   UNCHECKED "UPDATE tensors SET rows = 9223372036854775807",
                                   UNCHECKED "UPDATE tensors SET data = x'', rows = 0", NULL};
    for (int i = 0; damages[i] != NULL; i++) {
        struct tensors tensors = {0};
        insert_model("iris");
        run_sql(damages[i]);
        ck_assert_int_eq(store_version_load(store, sequence_of("iris"), 1, &tensors),
                         STORE_CORRUPT);
        ck_assert_uint_eq(tensors.count, 0);
        ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    }
}
END_TEST

START_TEST(a_damaged_shape_of_samples_is_detected)
{
    const char *const damages[] = {UNCHECKED "UPDATE samples SET count = 1000000",
                                   UNCHECKED "UPDATE samples SET features = -1",
                                   UNCHECKED "UPDATE samples SET data = x'', label = x''",
                                   "UPDATE samples SET kind = 1 - kind", NULL};
    for (int i = 0; damages[i] != NULL; i++) {
        enum run_state state;
        struct samples samples = {0};
        insert_model("iris");
        const int64_t run = insert_run("iris", NULL);
        run_sql(damages[i]);
        ck_assert_int_eq(store_samples_load(store, run, false, &samples), STORE_CORRUPT);
        ck_assert_ptr_null(samples.data.values);
        ck_assert_int_eq(store_queue_cancel(store, run, 1, &state), STORE_OK);
        ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    }
}
END_TEST

/* --- statements --- */

static void expect_indices(const char *statement)
{
    char sql[2048];
    sqlite3_stmt *plan;
    snprintf(sql, sizeof sql, "EXPLAIN QUERY PLAN %s", statement);
    if (sqlite3_prepare_v2(store->db, sql, -1, &plan, NULL) != SQLITE_OK)
        return; /* BEGIN and its like have no plan */
    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(plan, 3);
        ck_assert_msg(strncmp(step, "SCAN ", 5) != 0 || strstr(step, "CONSTANT") != NULL, "%s: %s",
                      step, sql);
        ck_assert_msg(strstr(step, "TEMP B-TREE") == NULL, "%s: %s", step, sql);
    }
    sqlite3_finalize(plan);
}

START_TEST(no_listing_or_claim_scans_or_sorts_a_table)
{
    const char *const models[] = {NULL, "iris"};
    const int states[] = {-1, RUN_QUEUED};
    struct run_record run;
    struct model_record model;
    struct version_record version;
    struct epoch_metrics metrics;
    size_t count;
    insert_model("iris");
    insert_run("iris", NULL);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(store_run_list(store, models[i / 2], states[i % 2], 0, 1, &run, &count),
                         STORE_OK);
        run_record_finish(&run);
    }
    ck_assert_int_eq(claim_run(3000), 1);
    ck_assert_int_eq(store_model_list(store, 0, 1, &model, &count), STORE_OK);
    model_record_finish(&model);
    ck_assert_int_eq(store_version_list(store, "iris", 0, 1, &version, &count), STORE_OK);
    ck_assert_int_eq(store_run_metrics(store, 1, 0, 1, &metrics, &count), STORE_OK);
    put_dataset("a", 1);
    put_dataset("a", 2);
    struct dataset_record dataset;
    ck_assert_int_eq(store_dataset_list(store, 0, 1, &dataset, &count), STORE_OK);
    dataset_record_finish(&dataset);
    ck_assert_int_eq(store_dataset_of_run(store, 1, false, &dataset), STORE_NOT_FOUND);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_OK);
    for (unsigned i = 0; i < store->statement_count; i++)
        expect_indices(sqlite3_sql(store->statements[i].statement));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store file");
    TCase *tests = suite_case(suite, "file", store_set_up, store_tear_down, 30);
    tcase_add_test(tests, connections_have_their_settings);
    tcase_add_test(tests, a_second_writer_by_another_name_is_refused);
    tcase_add_test(tests, any_mark_of_another_program_is_respected);
    tcase_add_test(tests, what_a_killed_writer_committed_is_there);
    tcase_add_test(tests, a_full_disk_undoes_the_call);
    tcase_add_test(tests, a_damaged_shape_of_a_tensor_is_detected);
    tcase_add_test(tests, a_damaged_shape_of_samples_is_detected);
    tcase_add_test(tests, no_listing_or_claim_scans_or_sorts_a_table);
    return suite_run(suite);
}
