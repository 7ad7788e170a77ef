/* The store's file: its settings, crashes, full disks, damage that no CHECK would let in; and what
 * stands beside the store: pool, checksum, embedded files.
 *
 * The tests look behind the store's back, by connections of their own and at its statements. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/base/checksum.h"
#include "server/base/embedded.h"
#include "server/store/datasets.h"
#include "server/store/models.h"
#include "server/store/pool.h"
#include "server/store/query.h"
#include "server/store/queue.h"
#include "server/store/samples.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

/* Of the present test; each has a directory of its own. */
static char directory[256];
static char path[300];
static struct store *store;

static void open_store(void)
{
    ck_assert_int_eq(store_open_writer(path, &store), STORE_OK);
}

static void close_store(void)
{
    store_close(store);
    store = NULL;
}

static void set_up(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/test_store_file.XXXXXX", parent ? parent : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/store.db", directory);
    open_store();
}

static void remove_files(void)
{
    const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock", NULL};
    for (int i = 0; suffixes[i] != NULL; i++) {
        char file[320];
        snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
        unlink(file);
    }
}

static void tear_down(void)
{
    close_store();
    remove_files();
    ck_assert_int_eq(rmdir(directory), 0);
}

static void change(const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    const int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    ck_assert_msg(result == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

/* Of a pragma or another query of one number. */
static int64_t number(struct store *of, const char *sql)
{
    struct query query = query_begin(of, sql);
    ck_assert_int_eq(query_next(&query), STORE_OK);
    const int64_t value = query_column(&query, 0);
    query_end(&query);
    return value;
}

/* --- examples --- */

static const float values[] = {0.5F, 1.5F, -2.25F, 0.1F, 0.0F, 3.0F};
static const struct tensor weight = {.name = "weight", .rows = 2, .columns = 3, .values = values};
static float sample_values[] = {1.0F, 2.0F, 3.0F, 4.0F};
static int32_t sample_labels[] = {0, 2};
static const struct samples training = {.kind = SAMPLES_VALUES,
                                        .count = 2,
                                        .features = 2,
                                        .data.values = sample_values,
                                        .targets = {.kind = TARGETS_CLASS, .label = sample_labels}};

static void add_model(struct store *into, const char *id)
{
    char description[] = "", config[] = "{}";
    struct model_record record = {.description = description, .config = config};
    snprintf(record.id, sizeof record.id, "%s", id);
    ck_assert_int_eq(store_model_insert(into, &record, &weight, 1, 1000), STORE_OK);
}

static int64_t sequence_in(struct store *in, const char *id)
{
    struct model_record record = {0};
    ck_assert_int_eq(store_model_find(in, id, &record), STORE_OK);
    const int64_t sequence = record.sequence;
    model_record_finish(&record);
    return sequence;
}

static int64_t add_run(const char *model)
{
    int64_t run = 0;
    ck_assert_int_eq(store_queue_insert(store, sequence_in(store, model), "{}", 10,
                                        &(struct data_source){.samples = training},
                                        &(struct data_source){0}, 2000, &run),
                     STORE_OK);
    return run;
}

static int64_t claim_run(void)
{
    struct run_record record;
    ck_assert_int_eq(store_queue_claim(store, 3000, &record), STORE_OK);
    const int64_t run = record.id;
    run_record_finish(&record);
    return run;
}

static void expect_weight(struct store *from)
{
    struct tensors tensors;
    ck_assert_int_eq(store_version_load(from, sequence_in(from, "iris"), 1, &tensors), STORE_OK);
    ck_assert_uint_eq(tensors.count, 1);
    ck_assert_mem_eq(tensors.items[0].values, values, sizeof values);
    tensors_finish(&tensors);
}

/* --- opening --- */

START_TEST(connections_have_their_settings)
{
    struct store *reader;
    ck_assert_int_eq(store_open_reader(path, &reader), STORE_OK);
    ck_assert_int_eq(number(store, "PRAGMA application_id"), 0x746d7074); /* "tmpt" */
    ck_assert_int_eq(number(store, "PRAGMA user_version"), (int64_t)embedded_migrations_count);
    ck_assert_int_eq(number(store, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    ck_assert_int_eq(number(store, "PRAGMA synchronous"), 2);   /* FULL */
    ck_assert_int_eq(number(store, "PRAGMA secure_delete"), 2); /* FAST */
    ck_assert_int_eq(number(store, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(number(store, "PRAGMA trusted_schema"), 0);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM pragma_table_list "
                                   "WHERE name NOT LIKE 'sqlite_%' AND NOT strict"),
                     0);
    ck_assert_int_gt(number(store, "PRAGMA wal_autocheckpoint"), 0);
    ck_assert_int_eq(number(reader, "PRAGMA wal_autocheckpoint"), 0);
    ck_assert_int_gt(number(reader, "PRAGMA busy_timeout"), 0);
    ck_assert_int_ne(query_execute(store, "SELECT \"no such column\""), STORE_OK);
    ck_assert_int_ne(query_execute(store, "DELETE FROM sqlite_schema"), STORE_OK);
    store_close(reader);
}
END_TEST

START_TEST(a_second_writer_by_another_name_is_refused)
{
    struct store *second = NULL;
    char link[320];
    snprintf(link, sizeof link, "%s/link.db", directory);
    ck_assert_int_eq(symlink(path, link), 0);
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
        close_store();
        ck_assert_int_eq(unlink(path), 0);
        change(marks[i]);
        ck_assert_int_eq(store_open_writer(path, &store), STORE_FOREIGN);
        ck_assert_ptr_null(store);
    }
}
END_TEST

/* --- crashes, full disks, damage --- */

/* A process of its own claims, and dies without a word. */
static void work_and_crash(void)
{
    const struct epoch_metrics epoch = {1, 0.5, 0.25, 0.5, 0.25};
    enum run_state state;
    int status;
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        open_store();
        for (int i = 0; i < 2; i++)
            store_run_progress(store, claim_run(), &epoch, 1);
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
    add_model(store, "iris");
    add_model(store, "mnist");
    add_run("iris");
    add_run("iris");
    add_run("mnist");
    close_store();
    work_and_crash();
    open_store();
    expect_run(1, RUN_RUNNING, 1, 3000, 0);
    ck_assert_int_eq(store_queue_take_up(store, 6000), STORE_OK);
    expect_run(1, RUN_QUEUED, 0, 0, 0);
    expect_run(2, RUN_QUEUED, 0, 0, 0);
    expect_run(3, RUN_CANCELLED, 1, 3000, 6000); /* as was asked for; its history stays */
    ck_assert_int_eq(claim_run(), 1);
    expect_weight(store);
}
END_TEST

START_TEST(a_full_disk_undoes_the_call)
{
    static float many[64 * 1024];
    const struct tensor big = {.name = "weight", .rows = 1, .columns = 64 * 1024, .values = many};
    int64_t version = -1;
    add_model(store, "iris");
    number(store, "PRAGMA max_page_count = 40");
    ck_assert_int_eq(
        store_version_insert(store, sequence_in(store, "iris"), &big, 1, 2000, &version),
        STORE_FULL);
    ck_assert_int_eq(version, -1);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM versions"), 1);
    number(store, "PRAGMA max_page_count = 100000");
    ck_assert_int_eq(
        store_version_insert(store, sequence_in(store, "iris"), &big, 1, 2000, &version), STORE_OK);
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
        add_model(store, "iris");
        change(damages[i]);
        ck_assert_int_eq(store_version_load(store, sequence_in(store, "iris"), 1, &tensors),
                         STORE_CORRUPT);
        ck_assert_ptr_null(tensors.memory);
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
        add_model(store, "iris");
        const int64_t run = add_run("iris");
        change(damages[i]);
        ck_assert_int_eq(store_samples_load(store, run, false, &samples), STORE_CORRUPT);
        ck_assert_ptr_null(samples.data.values);
        ck_assert_int_eq(store_queue_cancel(store, run, 1, &state), STORE_OK);
        ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    }
}
END_TEST

/* A dataset of one sample and label. */
static void put_dataset(const char *id, uint8_t value)
{
    struct array_record arrays[2];
    for (int i = 0; i < 2; i++) {
        struct checksum checksum;
        arrays[i] = (struct array_record){.dtype = DTYPE_U1, .features = 1, .count = 1, .bytes = 1};
        ck_assert_int_eq(store_array_begin(store, &arrays[i], &arrays[i].id), STORE_OK);
        ck_assert_int_eq(store_array_append(store, arrays[i].id, 0, &value, 1), STORE_OK);
        checksum_init(&checksum);
        checksum_add(&checksum, &value, 1);
        checksum_finish(&checksum, arrays[i].sha256);
    }
    const struct dataset_change change = {
        .x = &arrays[0], .label = &arrays[1], .classes = value + 1u};
    bool created;
    ck_assert_int_eq(store_dataset_put(store, id, &change, 1, &created), STORE_OK);
}

/* --- statements --- */

START_TEST(only_a_running_run_ends)
{
    int64_t version = -1;
    add_model(store, "iris");
    const int64_t run = add_run("iris");
    ck_assert_int_eq(claim_run(), run);
    ck_assert_int_eq(store_run_cancelled(store, run, NULL, 0, 4000), STORE_OK);
    ck_assert_int_eq(store_run_cancelled(store, run, NULL, 0, 5000), STORE_ENDED);
    ck_assert_int_eq(store_run_fail(store, run, NULL, 0, "c", "d", 5000), STORE_ENDED);
    ck_assert_int_eq(store_run_succeed(store, run, NULL, 0,
                                       &(struct run_result){.tensors = &weight, .tensor_count = 1},
                                       5000, &version),
                     STORE_ENDED);
    ck_assert_int_eq(store_run_fail(store, 99, NULL, 0, "c", "d", 5000), STORE_NOT_FOUND);
    ck_assert_int_eq(version, -1);
    expect_run(run, RUN_CANCELLED, 0, 3000, 4000);
}
END_TEST

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
    add_model(store, "iris");
    add_run("iris");
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(store_run_list(store, models[i / 2], states[i % 2], 0, 1, &run, &count),
                         STORE_OK);
        run_record_finish(&run);
    }
    ck_assert_int_eq(claim_run(), 1);
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
        expect_indices(store->statements[i].sql);
}
END_TEST

/* --- datasets --- */

START_TEST(a_run_is_not_queued_on_a_dataset_that_has_changed)
{
    int64_t run = 0;
    struct dataset_record dataset;
    struct data_source none = {0};
    add_model(store, "iris");
    put_dataset("a", 1);
    ck_assert_int_eq(store_dataset_find(store, "a", &dataset), STORE_OK);
    struct data_source data = {.dataset = dataset.sequence};
    memcpy(data.sha256, dataset.sha256, sizeof data.sha256);
    const int64_t model = sequence_in(store, "iris");
    put_dataset("a", 2);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, &data, &none, 1, &run),
                     STORE_MISMATCH);
    put_dataset("a", 1);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, &data, &none, 1, &run), STORE_OK);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_IN_USE);
    enum run_state state;
    ck_assert_int_eq(store_queue_cancel(store, run, 1, &state), STORE_OK);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_OK);
    ck_assert_int_eq(store_queue_insert(store, model, "{}", 1, &none, &data, 1, &run),
                     STORE_MISMATCH);
    ck_assert_int_eq(store_queue_insert(store, model + 1, "{}", 1, &data, &none, 1, &run),
                     STORE_NOT_FOUND);
    dataset_record_finish(&dataset);
}
END_TEST

START_TEST(a_snapshot_is_of_one_moment)
{
    void *value;
    struct store *reader;
    struct dataset_record before, found;
    put_dataset("a", 1);
    ck_assert_int_eq(store_open_reader(path, &reader), STORE_OK);
    ck_assert_int_eq(store_snapshot_begin(reader), STORE_OK);
    ck_assert_int_eq(store_dataset_find(reader, "a", &before), STORE_OK);
    put_dataset("a", 2);
    ck_assert_int_eq(store_dataset_delete(store, "a"), STORE_OK);
    ck_assert_int_eq(store_array_load(reader, &before.x, &value), STORE_OK);
    ck_assert_int_eq(*(uint8_t *)value, 1);
    free(value);
    store_snapshot_end(reader);
    ck_assert_int_eq(store_array_load(reader, &before.x, &value), STORE_CORRUPT);
    ck_assert_int_eq(store_dataset_find(reader, "a", &found), STORE_NOT_FOUND);
    dataset_record_finish(&before);
    store_close(reader);
}
END_TEST

/* --- beside the store --- */

START_TEST(the_pool_lends_one_writer_and_readers)
{
    struct store_pool *pool = NULL, *second = NULL;
    struct store *first, *other, *again;
    close_store();
    ck_assert_int_eq(store_pool_create(path, &pool), STORE_OK);
    ck_assert_int_eq(store_pool_create(path, &second), STORE_LOCKED);
    ck_assert_ptr_null(second);
    struct store *writer = store_pool_borrow_writer(pool);
    add_model(writer, "iris");
    ck_assert_int_eq(store_pool_borrow_reader(pool, &first), STORE_OK);
    ck_assert_int_eq(store_pool_borrow_reader(pool, &other), STORE_OK);
    expect_weight(first);
    expect_weight(other);
    store_pool_return_reader(pool, first);
    ck_assert_int_eq(store_pool_borrow_reader(pool, &again), STORE_OK);
    ck_assert_ptr_eq(again, first);
    store_pool_return_reader(pool, again);
    store_pool_return_reader(pool, other);
    store_pool_return_writer(pool, STORE_OK);
    store_pool_destroy(pool);
    store_pool_destroy(NULL);
    open_store();
    expect_weight(store);
}
END_TEST

/* What a database of the first version holds is there after the others. */
START_TEST(a_first_database_is_brought_up_to_date)
{
    close_store();
    remove_files();
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_close(db);
    change(embedded_migrations[0].text);
    change("PRAGMA application_id = 1953329268; PRAGMA user_version = 1"); /* "tmpt" */
    open_store();
    ck_assert_int_eq(number(store, "PRAGMA user_version"), (int64_t)embedded_migrations_count);
    add_model(store, "iris");
}
END_TEST

/* Two models, and runs in every state. The newest run was of a model that is gone. */
static const char second_database[] =
    "PRAGMA foreign_keys = ON;"
    "INSERT INTO models VALUES (1, 'iris', 'd', '{\"a\": 1}', '[\"x\"]', 2, 10, 20),"
    " (2, 'wine', '', '{}', NULL, 1, 30, 40), (3, 'gone', '', '{}', NULL, 1, 50, 60);"
    "INSERT INTO versions VALUES (1, 1, NULL, 'aa', 10), (1, 2, 2, 'bb', 11), (2, 1, NULL, 'cc', "
    "30);"
    "INSERT INTO tensors VALUES (1, 1, 0, 'weight', 1, 1, x'00000000'),"
    " (1, 2, 0, 'weight', 1, 1, x'0000803f');"
    "INSERT INTO samples VALUES (1, 'sum-1', 0, 1, 1, x'00000000', x'00000000', NULL),"
    " (2, 'sum-2', 1, 1, 2, x'0100000002000000', x'01000000', x'0000803f0000803f0000803f'),"
    " (3, 'sum-3', 0, 1, 1, x'0000803f', x'00000000', NULL);"
    "INSERT INTO runs VALUES"
    " (2, 1, 'succeeded', 0, 1, 2, 5, '{\"seed\": 1}', 1, 2, NULL, NULL, 100, 101, 102),"
    " (3, 1, 'failed', 0, 2, NULL, 6, '{}', 2, NULL, 'diverged', 'so', 103, 104, 105),"
    " (5, 2, 'cancelled', 1, NULL, NULL, 7, '{}', 1, NULL, NULL, NULL, 106, NULL, 107),"
    " (6, 2, 'running', 0, 1, NULL, 8, '{}', 3, 1, NULL, NULL, 108, 109, NULL),"
    " (7, 2, 'queued', 0, NULL, NULL, 9, '{}', 3, NULL, NULL, NULL, 110, NULL, NULL),"
    " (41, 3, 'succeeded', 0, NULL, NULL, 9, '{}', 3, NULL, NULL, NULL, 111, 112, 113);"
    "INSERT INTO metrics VALUES (2, 1, 0.5, 0.25, NULL, NULL), (2, 2, 0.4, 0.5, 0.3, 0.75),"
    " (6, 1, 1, 0, NULL, NULL), (41, 1, 1, 1, NULL, NULL);"
    "DELETE FROM models WHERE id = 'gone';";

/* The rows of a query as text. */
static char *rows_of(const char *sql)
{
    sqlite3 *db;
    char **cells, *text = NULL;
    int rows, columns;
    size_t size;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_get_table(db, sql, &cells, &rows, &columns, NULL) == SQLITE_OK, "%s: %s",
                  sql, sqlite3_errmsg(db));
    FILE *stream = open_memstream(&text, &size);
    for (int i = columns; i < (rows + 1) * columns; i++)
        fprintf(stream, "%s%c", cells[i] != NULL ? cells[i] : "NULL",
                (i + 1) % columns == 0 ? '\n' : '|');
    fclose(stream);
    sqlite3_free_table(cells);
    sqlite3_close(db);
    return text;
}

static void make_second_database(void)
{
    close_store();
    remove_files();
    change("PRAGMA user_version = 0");
    change(embedded_migrations[0].text);
    change(embedded_migrations[1].text);
    change("PRAGMA application_id = 1953329268; PRAGMA user_version = 2");
    change(second_database);
}

/* A model that counts spikes, as a database of the fifth version holds it. */
START_TEST(the_sixth_migration_renames_max_spikes)
{
    close_store();
    remove_files();
    change("PRAGMA user_version = 0");
    for (size_t i = 0; i < 5; i++)
        change(embedded_migrations[i].text);
    change("PRAGMA application_id = 1953329268; PRAGMA user_version = 5");
    change(
        "INSERT INTO models VALUES (1, 'bursts', 'spikes_most', "
        "'{\"read_out\":\"spike_count\",\"spikes_most\":40,\"seed\":0}', '[\"spikes_most\"]', 1, "
        "10, 20)");
    open_store();
    char *models = rows_of("SELECT config, description, labels FROM models");
    ck_assert_str_eq(models, "{\"read_out\":\"spike_count\",\"max_spikes\":40,\"seed\":0}"
                             "|spikes_most|[\"spikes_most\"]\n");
    free(models);
}
END_TEST

START_TEST(the_third_migration_keeps_all_that_was_there)
{
    static const char *const queries[] = {
        "SELECT * FROM models ORDER BY sequence",
        "SELECT * FROM versions ORDER BY model, version",
        "SELECT model, version, position, name, rows, columns, hex(data) FROM tensors ORDER BY 1, "
        "2, 3",
        "SELECT id, sha256, kind, count, features, hex(data), hex(label), hex(times) FROM samples "
        "ORDER BY id",
        "SELECT id, model, state, cancel_requested, base_version, version, epochs, params, samples,"
        " validation, error_code, error_detail, created_at, started_at, finished_at FROM runs "
        "ORDER BY id",
        "SELECT * FROM metrics ORDER BY run, epoch",
    };
    enum { QUERIES = sizeof queries / sizeof *queries };
    char *before[QUERIES];
    make_second_database();
    for (int i = 0; i < QUERIES; i++)
        before[i] = rows_of(queries[i]);
    ck_assert_ptr_nonnull(strstr(before[4], "6|2|running|0|1|NULL|8|{}|3|1|NULL|NULL|108|109|"));
    open_store();
    for (int i = 0; i < QUERIES; i++) {
        char *after = rows_of(queries[i]);
        ck_assert_str_eq(after, before[i]);
        free(after);
        free(before[i]);
    }
    char *sums = rows_of("SELECT id, samples_sha256, validation_sha256, dataset, "
                         "validation_dataset FROM runs ORDER BY id");
    ck_assert_str_eq(sums, "2|sum-1|sum-2|NULL|NULL\n3|sum-2|NULL|NULL|NULL\n"
                           "5|sum-1|NULL|NULL|NULL\n6|sum-3|sum-1|NULL|NULL\n"
                           "7|sum-3|NULL|NULL|NULL\n");
    free(sums);
    char *left = rows_of("SELECT name FROM sqlite_schema WHERE name LIKE 'new%' UNION ALL "
                         "SELECT name FROM sqlite_sequence WHERE name LIKE 'new%'");
    ck_assert_str_eq(left, "");
    free(left);
}
END_TEST

START_TEST(after_the_third_migration_ids_go_on_and_references_hold)
{
    make_second_database();
    open_store();
    ck_assert_int_eq(number(store, "PRAGMA foreign_keys"), 1);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM pragma_integrity_check WHERE "
                                   "integrity_check != 'ok'"),
                     0);
    ck_assert_int_eq(add_run("iris"), 42);
    close_store();
    open_store();
    ck_assert_int_eq(add_run("iris"), 43);
    /* Metrics still go with their run, and runs with their model. */
    sqlite3_exec(store->db, "DELETE FROM models WHERE id = 'wine'", NULL, NULL, NULL);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM runs WHERE model = 2"), 0);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM metrics WHERE run = 6"), 0);
    ck_assert_int_eq(number(store, "SELECT count(*) FROM metrics WHERE run = 2"), 2);
    ck_assert_int_ne(sqlite3_exec(store->db, "UPDATE runs SET samples = 99", NULL, NULL, NULL),
                     SQLITE_OK);
}
END_TEST

START_TEST(spike_trains_read_back_as_they_were_queued)
{
    int64_t run = 0;
    uint32_t spikes[] = {2, 0, 1, 3};
    float times[] = {1, 2.5F, 7, 0, 0, 9};
    size_t first[] = {0, 2, 6};
    struct samples trains = view_trains(2, 2, spikes, times, first);
    trains.targets = view_labels(sample_labels);
    struct samples found = {0};
    add_model(store, "iris");
    struct data_source data = {.samples = trains}, validation_data = {.samples = training};
    ck_assert_int_eq(store_queue_insert(store, sequence_in(store, "iris"), "{}", 10, &data,
                                        &validation_data, 2000, &run),
                     STORE_OK);
    ck_assert_int_eq(store_samples_load(store, run, false, &found), STORE_OK);
    ck_assert_int_eq(found.kind, SAMPLES_SPIKE_TRAINS);
    ck_assert_mem_eq(found.data.trains.spikes, spikes, sizeof spikes);
    ck_assert_mem_eq(found.data.trains.times, times, sizeof times);
    ck_assert_mem_eq(found.data.trains.first, first, sizeof first);
    samples_finish(&found);
    ck_assert_int_eq(store_samples_load(store, run, true, &found), STORE_OK);
    ck_assert_int_eq(found.kind, SAMPLES_VALUES);
    samples_finish(&found);
}
END_TEST

START_TEST(the_pool_is_broken_until_a_write_succeeds)
{
    const enum store_status breaking[] = {STORE_FULL, STORE_UNAVAILABLE, STORE_CORRUPT};
    struct store_pool *pool;
    close_store();
    ck_assert_int_eq(store_pool_create(path, &pool), STORE_OK);
    for (int i = 0; i < 3; i++) {
        ck_assert(!store_pool_is_broken(pool));
        store_pool_borrow_writer(pool);
        store_pool_return_writer(pool, breaking[i]);
        store_pool_borrow_writer(pool); /* so that the pool can't try a write */
        ck_assert(store_pool_is_broken(pool));
        store_pool_return_writer(pool, STORE_NOT_FOUND);
        store_pool_borrow_writer(pool);
        ck_assert(store_pool_is_broken(pool));
        store_pool_return_writer(pool, i % 2 == 0 ? STORE_OK : STORE_NOT_FOUND);
    }
    store_pool_destroy(pool);
}
END_TEST

START_TEST(checksums_are_sha256)
{
    char text[CHECKSUM_TEXT];
    struct checksum checksum;
    checksum_init(&checksum);
    checksum_add(&checksum, "a", 1);
    checksum_add(&checksum, "bc", 2);
    checksum_finish(&checksum, text);
    ck_assert_str_eq(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}
END_TEST

START_TEST(embedded_files_are_whole_and_terminated)
{
    for (size_t i = 0; i < embedded_migrations_count; i++)
        ck_assert_uint_eq(strlen(embedded_migrations[i].text), embedded_migrations[i].size);
    ck_assert_uint_eq(strlen(embedded_openapi.text), embedded_openapi.size);
    ck_assert_int_eq(strncmp(embedded_openapi.text, "openapi:", 8), 0);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("store_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, connections_have_their_settings);
    tcase_add_test(tests, a_second_writer_by_another_name_is_refused);
    tcase_add_test(tests, any_mark_of_another_program_is_respected);
    tcase_add_test(tests, what_a_killed_writer_committed_is_there);
    tcase_add_test(tests, a_full_disk_undoes_the_call);
    tcase_add_test(tests, a_damaged_shape_of_a_tensor_is_detected);
    tcase_add_test(tests, a_damaged_shape_of_samples_is_detected);
    tcase_add_test(tests, only_a_running_run_ends);
    tcase_add_test(tests, no_listing_or_claim_scans_or_sorts_a_table);
    tcase_add_test(tests, the_pool_lends_one_writer_and_readers);
    tcase_add_test(tests, a_first_database_is_brought_up_to_date);
    tcase_add_test(tests, the_third_migration_keeps_all_that_was_there);
    tcase_add_test(tests, after_the_third_migration_ids_go_on_and_references_hold);
    tcase_add_test(tests, the_sixth_migration_renames_max_spikes);
    tcase_add_test(tests, a_run_is_not_queued_on_a_dataset_that_has_changed);
    tcase_add_test(tests, a_snapshot_is_of_one_moment);
    tcase_add_test(tests, spike_trains_read_back_as_they_were_queued);
    tcase_add_test(tests, the_pool_is_broken_until_a_write_succeeds);
    tcase_add_test(tests, checksums_are_sha256);
    tcase_add_test(tests, embedded_files_are_whole_and_terminated);
    Suite *suite = suite_create("store_file");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
