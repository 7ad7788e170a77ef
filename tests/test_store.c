/* The store by itself: what each call does to models, versions and runs, and what is still there
 * after the file was closed, damaged, or made by somebody else. */
#include <check.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store.h"
#include "suite.h"

/* --- one directory, database and writer a test --- */

static char directory[64];
static char path[96];
static struct store *store;

static void set_up(void)
{
    snprintf(directory, sizeof directory, "/tmp/tempotrond-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/models.db", directory);
    ck_assert_int_eq(store_open_writer(path, &store), STORE_OK);
}

static void tear_down(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    store_close(store);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
    rmdir(directory);
}

static void reopen(void)
{
    store_close(store);
    store = NULL;
    ck_assert_int_eq(store_open_writer(path, &store), STORE_OK);
}

/* --- what the tests store --- */

static const float six[] = {1, 2, 3, 4, 5, 6};
static const float other_six[] = {-1, 0.5f, 3e-30f, -4, 1e30f, 6};
static const char six_sha256[] = "24ae2dfe8df57c1b80e54cef3d90ac3b417fd98973345a5f616bbc9a75dcc202";
static float six_values[] = {1, 2, 3, 4, 5, 6};
static int32_t two_labels[] = {0, 1};
static int32_t other_labels[] = {1, 1};

static const struct samples samples = {
    .kind = SAMPLES_X, .count = 2, .features = 3, .values = six_values, .label = two_labels};
static const char samples_sha256[] =
    "7f2ffe256485d2046506f7c28c00786a134b78b5254911affb8d0aae5178fb5f";
static const struct samples other_samples = {.kind = SAMPLES_IN_SPIKES,
                                             .count = 2,
                                             .features = 3,
                                             .values = six_values,
                                             .label = other_labels};

/* 0, which is no model's, where there is none of this id. */
static int64_t sequence_of(const char *id)
{
    struct model_record record = {0};
    if (store_model_find(store, id, &record) != STORE_OK)
        return 0;
    const int64_t sequence = record.sequence;
    model_record_finish(&record);
    return sequence;
}

static struct tensor weight(const float *values)
{
    return (struct tensor){.name = "weight", .rows = 2, .columns = 3, .values = values};
}

static enum store_status try_model(const char *id, int64_t now)
{
    char description[] = "three flowers", config[] = "{\"T\":100}", labels[] = "[\"a\",\"b\"]";
    struct model_record record = {.description = description, .config = config, .labels = labels};
    const struct tensor tensor = weight(six);
    snprintf(record.id, sizeof record.id, "%s", id);
    return store_model_insert(store, &record, &tensor, 1, now);
}

static void insert_model(const char *id)
{
    ck_assert_int_eq(try_model(id, 1000), STORE_OK);
}

static int64_t insert_run(const char *model, const struct samples *validation)
{
    int64_t run = 0;
    const struct run_data data = {.samples = &samples}, validation_data = {.samples = validation};
    ck_assert_int_eq(store_run_insert(store, sequence_of(model), "{\"epochs\":9}", 9, &data,
                                      &validation_data, 2000, &run),
                     STORE_OK);
    return run;
}

/* Claims the next run; 0 where there is none. */
static int64_t claim(int64_t now)
{
    struct run_record record;
    const enum store_status status = store_run_claim(store, now, &record);
    if (status == STORE_NOT_FOUND)
        return 0;
    ck_assert_int_eq(status, STORE_OK);
    ck_assert_int_eq(record.state, RUN_RUNNING);
    const int64_t run = record.id;
    run_record_finish(&record);
    return run;
}

static int64_t succeed(int64_t run, const float *values)
{
    int64_t version = 0;
    const struct tensor tensor = weight(values);
    ck_assert_int_eq(store_run_succeed(store, run, NULL, 0, &tensor, 1, 5000, &version), STORE_OK);
    return version;
}

static struct run_record find_run(int64_t run)
{
    struct run_record record = {0};
    ck_assert_int_eq(store_run_find(store, run, &record), STORE_OK);
    return record;
}

static enum run_state state_of(int64_t run)
{
    struct run_record record = find_run(run);
    const enum run_state state = record.state;
    run_record_finish(&record);
    return state;
}

static int64_t served_version(const char *model)
{
    struct model_record record = {0};
    ck_assert_int_eq(store_model_find(store, model, &record), STORE_OK);
    const int64_t version = record.version;
    model_record_finish(&record);
    return version;
}

static void expect_weight(const char *model, int64_t version, const float *values)
{
    struct tensors tensors = {0};
    ck_assert_int_eq(store_version_load(store, sequence_of(model), version, &tensors), STORE_OK);
    ck_assert_uint_eq(tensors.count, 1);
    ck_assert_str_eq(tensors.items[0].name, "weight");
    ck_assert_uint_eq(tensors.items[0].rows, 2);
    ck_assert_uint_eq(tensors.items[0].columns, 3);
    ck_assert_mem_eq(tensors.items[0].values, values, sizeof six);
    tensors_finish(&tensors);
}

static void expect_samples(int64_t run, bool validation, const struct samples *expected)
{
    struct samples found = {0};
    ck_assert_int_eq(store_run_samples(store, run, validation, &found), STORE_OK);
    ck_assert_int_eq(found.kind, expected->kind);
    ck_assert_uint_eq(found.count, expected->count);
    ck_assert_uint_eq(found.features, expected->features);
    ck_assert_mem_eq(found.values, expected->values, sizeof six_values);
    ck_assert_mem_eq(found.label, expected->label, sizeof two_labels);
    samples_finish(&found);
}

/* What SQL alone can tell, seen by another connection. */
static int64_t ask(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

/* Done by another connection, between two calls of the store's. */
static void run_sql(const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* --- models --- */

static void expect_first_model(const struct model_record *record)
{
    ck_assert_int_eq(record->sequence, 1);
    ck_assert_str_eq(record->id, "iris");
    ck_assert_str_eq(record->description, "three flowers");
    ck_assert_str_eq(record->config, "{\"T\":100}");
    ck_assert_str_eq(record->labels, "[\"a\",\"b\"]");
    ck_assert_int_eq(record->version, 1);
    ck_assert_int_eq(record->created_at, 1000);
    ck_assert_int_eq(record->updated_at, 1000);
}

START_TEST(a_model_reads_back_as_it_was_written)
{
    struct model_record record;
    insert_model("iris");
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    expect_first_model(&record);
    model_record_finish(&record);
    expect_weight("iris", 1, six);
}
END_TEST

START_TEST(the_longest_id_is_kept_whole)
{
    char id[LIMIT_ID + 1];
    struct model_record record;
    memset(id, 'z', LIMIT_ID);
    id[LIMIT_ID] = '\0';
    insert_model(id);
    ck_assert_int_eq(store_model_find(store, id, &record), STORE_OK);
    ck_assert_str_eq(record.id, id);
    model_record_finish(&record);
}
END_TEST

START_TEST(a_taken_id_changes_nothing)
{
    insert_model("iris");
    ck_assert_int_eq(try_model("iris", 7777), STORE_TAKEN);
    struct model_record record;
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    expect_first_model(&record);
    model_record_finish(&record);
    ck_assert_int_eq(ask("SELECT count(*) FROM versions"), 1);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
    const struct tensor tensor = weight(six);
    const struct model_change change = {.description = "new"};
    struct tensors tensors = {.count = 77};
    struct samples none = {.count = 77};
    struct model_record model = {.version = 77};
    struct run_record run = {.id = 77};
    struct version_record versions[1];
    struct epoch_metrics metrics[1];
    enum run_state state = RUN_FAILED;
    int64_t number = 77;
    size_t count = 77;

    ck_assert_int_eq(store_model_find(store, "no", &model), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_update(store, sequence_of("no"), &change, 1), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_delete(store, "no"), STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_insert(store, sequence_of("no"), &tensor, 1, 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_list(store, "no", 0, 1, versions, &count), STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_load(store, sequence_of("no"), 1, &tensors), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_insert(store, sequence_of("no"), "{}", 1,
                                      &(struct run_data){.samples = &samples},
                                      &(struct run_data){.samples = NULL}, 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_find(store, 1, &run), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_list(store, "no", -1, 0, 1, &run, &count), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_metrics(store, 1, 0, 1, metrics, &count), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_samples(store, 1, false, &none), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_claim(store, 1, &run), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_cancel(store, 1, 1, &state), STORE_NOT_FOUND);
    ck_assert_int_eq(store_run_succeed(store, 1, NULL, 0, &tensor, 1, 1, &number), STORE_NOT_FOUND);

    ck_assert_int_eq(model.version, 77);
    ck_assert_int_eq(run.id, 77);
    ck_assert_int_eq(number, 77);
    ck_assert_int_eq(state, RUN_FAILED);
    ck_assert_uint_eq(count, 77);
    ck_assert_uint_eq(tensors.count, 77);
    ck_assert_uint_eq(none.count, 77);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples"), 0);
}
END_TEST

/* The ids of a page, e.g. "e d", and the cursor of the next. */
static int64_t expect_models(int64_t before, size_t limit, const char *expected)
{
    struct model_record records[8] = {0};
    char ids[256] = "";
    size_t count = 0;
    int64_t last = 0;
    ck_assert_int_eq(store_model_list(store, before, limit, records, &count), STORE_OK);
    for (size_t i = 0; i < count; i++) {
        strcat(strcat(ids, i > 0 ? " " : ""), records[i].id);
        last = records[i].sequence;
        model_record_finish(&records[i]);
    }
    ck_assert_str_eq(ids, expected);
    return last;
}

START_TEST(models_are_listed_newest_first)
{
    static const char *const ids[] = {"a", "b", "c", "d", "e"};
    expect_models(0, 8, "");
    for (size_t i = 0; i < 5; i++)
        insert_model(ids[i]);
    expect_models(0, 8, "e d c b a");
    int64_t cursor = expect_models(0, 2, "e d");
    ck_assert_int_eq(store_model_delete(store, "c"), STORE_OK);
    cursor = expect_models(cursor, 2, "b a");
    expect_models(cursor, 2, "");
}
END_TEST

static void expect_change(const struct model_change *change, const char *description,
                          const char *labels, int64_t version)
{
    struct model_record record;
    static int64_t now = 3000;
    now++;
    ck_assert_int_eq(store_model_update(store, sequence_of("iris"), change, now), STORE_OK);
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    ck_assert_str_eq(record.description, description);
    ck_assert_pstr_eq(record.labels, labels);
    ck_assert_int_eq(record.version, version);
    ck_assert_int_eq(record.created_at, 1000);
    ck_assert_int_eq(record.updated_at, now);
    model_record_finish(&record);
}

START_TEST(a_change_touches_only_what_it_names)
{
    int64_t version;
    const struct tensor tensor = weight(other_six);
    insert_model("iris");
    ck_assert_int_eq(store_version_insert(store, sequence_of("iris"), &tensor, 1, 1500, &version),
                     STORE_OK);
    expect_change(&(struct model_change){.description = ""}, "", "[\"a\",\"b\"]", 2);
    expect_change(&(struct model_change){.labels = "[\"c\"]"}, "", "[\"c\"]", 2);
    expect_change(&(struct model_change){.version = 1}, "", "[\"c\"]", 1);
    expect_change(&(struct model_change){.remove_labels = true}, "", NULL, 1);
    const struct model_change unknown = {.description = "x", .version = 3};
    ck_assert_int_eq(store_model_update(store, sequence_of("iris"), &unknown, 9999),
                     STORE_NOT_FOUND);
    expect_change(&(struct model_change){.description = "y"}, "y", NULL, 1);
}
END_TEST

START_TEST(a_model_goes_with_all_that_is_its_own)
{
    const struct epoch_metrics metrics = {.epoch = 1, .loss = 1, .accuracy = 0.5};
    insert_model("iris");
    insert_model("stays");
    const int64_t run = insert_run("iris", &other_samples);
    insert_run("stays", NULL);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_IN_USE);
    ck_assert_int_eq(claim(3000), run);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_IN_USE);
    ck_assert_int_eq(store_run_progress(store, run, &metrics, 1), STORE_OK);
    succeed(run, other_six);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);

    ck_assert_int_eq(ask("SELECT count(*) FROM models"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM versions"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM tensors"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM runs"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM metrics"), 0);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples"), 1);
    expect_samples(run + 1, false, &samples);
}
END_TEST

START_TEST(numbers_are_not_given_twice)
{
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim(3000);
    succeed(run, six);
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    insert_model("iris");
    ck_assert_int_eq(insert_run("iris", NULL), run + 1);
    expect_models(0, 8, "iris");
    ck_assert_int_eq(ask("SELECT sequence FROM models"), 2);
}
END_TEST

/* --- versions --- */

START_TEST(each_version_is_the_next_and_is_served)
{
    int64_t version = 0;
    const struct tensor tensor = weight(other_six);
    const struct model_change back = {.version = 1};
    insert_model("iris");
    ck_assert_int_eq(store_version_insert(store, sequence_of("iris"), &tensor, 1, 1500, &version),
                     STORE_OK);
    ck_assert_int_eq(version, 2);
    ck_assert_int_eq(served_version("iris"), 2);
    ck_assert_int_eq(store_model_update(store, sequence_of("iris"), &back, 1600), STORE_OK);
    ck_assert_int_eq(served_version("iris"), 1);
    ck_assert_int_eq(store_version_insert(store, sequence_of("iris"), &tensor, 1, 1700, &version),
                     STORE_OK);
    ck_assert_int_eq(version, 3);
    ck_assert_int_eq(served_version("iris"), 3);
    expect_weight("iris", 1, six);
    expect_weight("iris", 2, other_six);
    expect_weight("iris", 3, other_six);
    struct tensors none;
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), 4, &none), STORE_NOT_FOUND);
}
END_TEST

START_TEST(versions_are_listed_newest_first_with_their_origin)
{
    struct version_record records[4];
    size_t count = 0;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim(3000);
    ck_assert_int_eq(succeed(run, six), 2);

    ck_assert_int_eq(store_version_list(store, "iris", 0, 4, records, &count), STORE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(records[0].version, 2);
    ck_assert_int_eq(records[0].run, run);
    ck_assert_int_eq(records[0].created_at, 5000);
    ck_assert_str_eq(records[0].sha256, six_sha256);
    ck_assert_int_eq(records[1].version, 1);
    ck_assert_int_eq(records[1].run, 0);
    ck_assert_int_eq(records[1].created_at, 1000);
    ck_assert_str_eq(records[1].sha256, six_sha256);

    ck_assert_int_eq(store_version_list(store, "iris", 0, 1, records, &count), STORE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(store_version_list(store, "iris", records[0].version, 4, records, &count),
                     STORE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(records[0].version, 1);
}
END_TEST

START_TEST(several_tensors_keep_names_shapes_and_order)
{
    int64_t version;
    const struct tensor both[] = {
        {.name = "a tensor name of 31 characters.", .rows = 3, .columns = 2, .values = six},
        {.name = "bias", .rows = 1, .columns = 6, .values = other_six},
    };
    struct tensors tensors;
    insert_model("iris");
    ck_assert_int_eq(store_version_insert(store, sequence_of("iris"), both, 2, 1500, &version),
                     STORE_OK);
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), version, &tensors), STORE_OK);
    ck_assert_uint_eq(tensors.count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_str_eq(tensors.items[i].name, both[i].name);
        ck_assert_uint_eq(tensors.items[i].rows, both[i].rows);
        ck_assert_uint_eq(tensors.items[i].columns, both[i].columns);
        ck_assert_mem_eq(tensors.items[i].values, both[i].values, sizeof six);
    }
    tensors_finish(&tensors);
}
END_TEST

/* --- runs --- */

static void expect_queued_run(int64_t run)
{
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.id, run);
    ck_assert_str_eq(record.model, "iris");
    ck_assert_int_eq(record.state, RUN_QUEUED);
    ck_assert(!record.cancel_requested);
    ck_assert_int_eq(record.base_version, 0);
    ck_assert_int_eq(record.version, 0);
    ck_assert_int_eq(record.epoch, 0);
    ck_assert_int_eq(record.epochs, 9);
    ck_assert_str_eq(record.params, "{\"epochs\":9}");
    ck_assert_int_eq(record.metrics.epoch, 0);
    ck_assert_str_eq(record.error_code, "");
    ck_assert_ptr_null(record.error_detail);
    ck_assert_str_eq(record.samples_sha256, samples_sha256);
    ck_assert_str_eq(record.validation_sha256, "");
    ck_assert_int_eq(record.created_at, 2000);
    ck_assert_int_eq(record.started_at, 0);
    ck_assert_int_eq(record.finished_at, 0);
    run_record_finish(&record);
}

START_TEST(a_run_reads_back_as_it_was_queued)
{
    struct samples none;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(run, 1);
    expect_queued_run(run);
    expect_samples(run, false, &samples);
    ck_assert_int_eq(store_run_samples(store, run, true, &none), STORE_NOT_FOUND);
}
END_TEST

START_TEST(a_validation_set_is_kept_apart)
{
    insert_model("iris");
    const int64_t run = insert_run("iris", &other_samples);
    struct run_record record = find_run(run);
    ck_assert_str_eq(record.samples_sha256, samples_sha256);
    ck_assert_uint_eq(strlen(record.validation_sha256), 64);
    ck_assert_str_ne(record.validation_sha256, samples_sha256);
    run_record_finish(&record);
    expect_samples(run, false, &samples);
    expect_samples(run, true, &other_samples);
}
END_TEST

START_TEST(equal_samples_are_stored_once_and_go_with_their_last_run)
{
    insert_model("a");
    insert_model("b");
    const int64_t first = insert_run("a", &samples), second = insert_run("b", NULL);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples"), 1);
    ck_assert_int_eq(claim(3000), first);
    ck_assert_int_eq(claim(3000), second);
    succeed(first, six);
    succeed(second, six);
    ck_assert_int_eq(store_model_delete(store, "a"), STORE_OK);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples"), 1);
    expect_samples(second, false, &samples);
    ck_assert_int_eq(store_model_delete(store, "b"), STORE_OK);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples"), 0);
}
END_TEST

START_TEST(one_run_of_a_model_at_a_time_and_the_oldest_first)
{
    insert_model("a");
    insert_model("b");
    const int64_t a1 = insert_run("a", NULL), a2 = insert_run("a", NULL);
    const int64_t b1 = insert_run("b", NULL), b2 = insert_run("b", NULL);
    ck_assert_int_eq(claim(3000), a1);
    ck_assert_int_eq(claim(3001), b1);
    ck_assert_int_eq(claim(3002), 0);
    ck_assert_int_eq(state_of(a2), RUN_QUEUED);
    succeed(b1, six);
    ck_assert_int_eq(claim(3003), b2);
    ck_assert_int_eq(store_run_fail(store, a1, NULL, 0, "diverged", "No.", 3004), STORE_OK);
    ck_assert_int_eq(claim(3005), a2);
    ck_assert_int_eq(claim(3006), 0);
}
END_TEST

START_TEST(a_claimed_run_starts_from_the_version_served_then)
{
    struct run_record record;
    insert_model("iris");
    const int64_t first = insert_run("iris", NULL), second = insert_run("iris", NULL);
    ck_assert_int_eq(store_run_claim(store, 3000, &record), STORE_OK);
    ck_assert_int_eq(record.id, first);
    ck_assert_int_eq(record.base_version, 1);
    ck_assert_int_eq(record.started_at, 3000);
    ck_assert_str_eq(record.params, "{\"epochs\":9}");
    run_record_finish(&record);
    ck_assert_int_eq(succeed(first, other_six), 2);
    ck_assert_int_eq(store_run_claim(store, 3001, &record), STORE_OK);
    ck_assert_int_eq(record.id, second);
    ck_assert_int_eq(record.base_version, 2);
    run_record_finish(&record);
}
END_TEST

static void add_epochs(int64_t run, int64_t from, int64_t to)
{
    for (int64_t epoch = from; epoch <= to; epoch++) {
        const struct epoch_metrics metrics = {.epoch = epoch,
                                              .loss = 1.0 / (double)epoch,
                                              .accuracy = 0.1 * (double)epoch,
                                              .validation_loss = NAN,
                                              .validation_accuracy = NAN};
        ck_assert_int_eq(store_run_progress(store, run, &metrics, 1), STORE_OK);
    }
}

START_TEST(metrics_are_read_in_order_after_a_cursor)
{
    struct epoch_metrics metrics[8];
    size_t count = 77;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(store_run_metrics(store, run, 0, 8, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 0);
    claim(3000);
    add_epochs(run, 1, 5);
    ck_assert_int_eq(store_run_metrics(store, run, 0, 2, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_int_eq(metrics[0].epoch, 1);
    ck_assert_int_eq(store_run_metrics(store, run, 2, 8, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 3);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(metrics[i].epoch, 3 + (int64_t)i);
        ck_assert_double_eq(metrics[i].loss, 1.0 / (double)metrics[i].epoch);
        ck_assert_double_eq(metrics[i].accuracy, 0.1 * (double)metrics[i].epoch);
        ck_assert_double_nan(metrics[i].validation_loss);
        ck_assert_double_nan(metrics[i].validation_accuracy);
    }
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.epoch, 5);
    ck_assert_double_eq(record.metrics.loss, 0.2);
    run_record_finish(&record);
}
END_TEST

START_TEST(success_publishes_with_its_last_metrics)
{
    int64_t version = 0;
    const struct tensor tensor = weight(other_six);
    const struct epoch_metrics last = {5, 0.25, 0.75, 0.5, 0.625};
    insert_model("iris");
    const int64_t run = insert_run("iris", &other_samples);
    claim(3000);
    add_epochs(run, 1, 4);
    ck_assert_int_eq(store_run_succeed(store, run, &last, 1, &tensor, 1, 5000, &version), STORE_OK);
    ck_assert_int_eq(version, 2);
    ck_assert_int_eq(served_version("iris"), 2);
    expect_weight("iris", 2, other_six);
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.state, RUN_SUCCEEDED);
    ck_assert_int_eq(record.version, 2);
    ck_assert_int_eq(record.epoch, 5);
    ck_assert_int_eq(record.finished_at, 5000);
    ck_assert_double_eq(record.metrics.loss, 0.25);
    ck_assert_double_eq(record.metrics.accuracy, 0.75);
    ck_assert_double_eq(record.metrics.validation_loss, 0.5);
    ck_assert_double_eq(record.metrics.validation_accuracy, 0.625);
    run_record_finish(&record);
}
END_TEST

START_TEST(an_end_that_fails_leaves_no_part_of_itself)
{
    int64_t version = 77;
    const struct tensor tensor = weight(other_six);
    const struct epoch_metrics again = {.epoch = 4};
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim(3000);
    add_epochs(run, 1, 4);
    ck_assert_int_ne(store_run_succeed(store, run, &again, 1, &tensor, 1, 5000, &version),
                     STORE_OK);
    ck_assert_int_eq(version, 77);
    ck_assert_int_eq(state_of(run), RUN_RUNNING);
    ck_assert_int_eq(served_version("iris"), 1);
    ck_assert_int_eq(ask("SELECT count(*) FROM versions"), 1);
    ck_assert_int_eq(succeed(run, other_six), 2);
}
END_TEST

START_TEST(a_success_that_cant_be_noted_publishes_nothing)
{
    int64_t version = 0;
    const struct tensor tensor = weight(other_six);
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    ck_assert_int_eq(claim(3000), run);
    run_sql("CREATE TRIGGER no_success BEFORE UPDATE OF state ON runs WHEN NEW.state = 'succeeded' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END");
    ck_assert_int_ne(store_run_succeed(store, run, NULL, 0, &tensor, 1, 5000, &version), STORE_OK);
    ck_assert_int_eq(served_version("iris"), 1);
    ck_assert_int_eq(state_of(run), RUN_RUNNING);
    struct tensors none;
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), 2, &none), STORE_NOT_FOUND);
}
END_TEST

START_TEST(a_model_made_anew_is_another_one)
{
    int64_t number = 0;
    const struct tensor tensor = weight(six);
    const struct model_change change = {.labels = "[\"x\"]"};
    insert_model("iris");
    const int64_t old = sequence_of("iris");
    ck_assert_int_eq(store_model_delete(store, "iris"), STORE_OK);
    insert_model("iris");
    ck_assert_int_eq(store_run_insert(store, old, "{}", 1, &(struct run_data){.samples = &samples},
                                      &(struct run_data){.samples = NULL}, 1, &number),
                     STORE_NOT_FOUND);
    ck_assert_int_eq(store_version_insert(store, old, &tensor, 1, 1, &number), STORE_NOT_FOUND);
    ck_assert_int_eq(store_model_update(store, old, &change, 1), STORE_NOT_FOUND);
    ck_assert_int_eq(served_version("iris"), 1);
}
END_TEST

START_TEST(failure_keeps_its_reason_and_publishes_nothing)
{
    const struct epoch_metrics last = {.epoch = 1, .loss = 3, .accuracy = 0};
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim(3000);
    ck_assert_int_eq(store_run_fail(store, run, &last, 1, "diverged", "It did.", 5000), STORE_OK);
    struct run_record record = find_run(run);
    ck_assert_int_eq(record.state, RUN_FAILED);
    ck_assert_str_eq(record.error_code, "diverged");
    ck_assert_str_eq(record.error_detail, "It did.");
    ck_assert_int_eq(record.version, 0);
    ck_assert_int_eq(record.epoch, 1);
    ck_assert_int_eq(record.finished_at, 5000);
    run_record_finish(&record);
    ck_assert_int_eq(served_version("iris"), 1);
}
END_TEST

START_TEST(cancelling_ends_a_queued_run_and_marks_a_running_one)
{
    enum run_state state = RUN_FAILED;
    insert_model("iris");
    const int64_t running = insert_run("iris", NULL), queued = insert_run("iris", NULL);
    ck_assert_int_eq(claim(3000), running);

    ck_assert_int_eq(store_run_cancel(store, queued, 4000, &state), STORE_OK);
    ck_assert_int_eq(state, RUN_CANCELLED);
    struct run_record record = find_run(queued);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.started_at, 0);
    ck_assert_int_eq(record.finished_at, 4000);
    run_record_finish(&record);

    ck_assert_int_eq(store_run_cancel(store, running, 4001, &state), STORE_OK);
    ck_assert_int_eq(state, RUN_RUNNING);
    record = find_run(running);
    ck_assert_int_eq(record.state, RUN_RUNNING);
    ck_assert(record.cancel_requested);
    ck_assert_int_eq(record.finished_at, 0);
    run_record_finish(&record);

    ck_assert_int_eq(store_run_cancelled(store, running, NULL, 0, 4002), STORE_OK);
    record = find_run(running);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.finished_at, 4002);
    run_record_finish(&record);
    ck_assert_int_eq(store_run_cancel(store, running, 4003, &state), STORE_ENDED);
    ck_assert_int_eq(store_run_cancel(store, queued, 4003, &state), STORE_ENDED);
    ck_assert_int_eq(served_version("iris"), 1);
}
END_TEST

START_TEST(after_a_crash_running_runs_begin_again_from_their_base)
{
    size_t count = 77;
    int64_t version;
    struct epoch_metrics metrics[8];
    struct run_record record;
    const struct tensor tensor = weight(other_six);
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    claim(3000);
    add_epochs(run, 1, 3);
    ck_assert_int_eq(store_version_insert(store, sequence_of("iris"), &tensor, 1, 3500, &version),
                     STORE_OK);
    reopen();
    ck_assert_int_eq(state_of(run), RUN_RUNNING);
    ck_assert_int_eq(store_runs_take_up(store, 6000), STORE_OK);
    ck_assert_int_eq(state_of(run), RUN_QUEUED);
    ck_assert_int_eq(store_run_metrics(store, run, 0, 8, metrics, &count), STORE_OK);
    ck_assert_uint_eq(count, 0);
    ck_assert_int_eq(store_run_claim(store, 6001, &record), STORE_OK);
    ck_assert_int_eq(record.id, run);
    ck_assert_int_eq(record.base_version, 1);
    ck_assert_int_eq(record.epoch, 0);
    run_record_finish(&record);
    add_epochs(run, 1, 3);
    ck_assert_int_eq(succeed(run, six), 3);
}
END_TEST

START_TEST(after_a_crash_runs_to_be_cancelled_are_and_others_stay)
{
    enum run_state state;
    insert_model("a");
    insert_model("b");
    const int64_t cancelled = insert_run("a", NULL), ended = insert_run("b", NULL);
    claim(3000);
    claim(3000);
    succeed(ended, six);
    const int64_t queued = insert_run("a", NULL);
    ck_assert_int_eq(store_run_cancel(store, cancelled, 4000, &state), STORE_OK);
    ck_assert_int_eq(state, RUN_RUNNING);
    reopen();
    ck_assert_int_eq(store_runs_take_up(store, 6000), STORE_OK);
    struct run_record record = find_run(cancelled);
    ck_assert_int_eq(record.state, RUN_CANCELLED);
    ck_assert_int_eq(record.finished_at, 6000);
    run_record_finish(&record);
    record = find_run(ended);
    ck_assert_int_eq(record.state, RUN_SUCCEEDED);
    ck_assert_int_eq(record.finished_at, 5000);
    run_record_finish(&record);
    ck_assert_int_eq(claim(7000), queued);
}
END_TEST

/* The numbers of a page, e.g. "5 4", and the cursor of the next. */
static int64_t expect_runs(const char *model, int state, int64_t before, size_t limit,
                           const char *expected)
{
    struct run_record records[8] = {0};
    char ids[256] = "";
    size_t count = 0;
    int64_t last = 0;
    ck_assert_int_eq(store_run_list(store, model, state, before, limit, records, &count), STORE_OK);
    for (size_t i = 0; i < count; i++) {
        const size_t used = strlen(ids);
        snprintf(ids + used, sizeof ids - used, "%s%lld", i > 0 ? " " : "",
                 (long long)records[i].id);
        last = records[i].id;
        run_record_finish(&records[i]);
    }
    ck_assert_str_eq(ids, expected);
    return last;
}

START_TEST(runs_are_listed_newest_first_by_model_and_state)
{
    insert_model("a");
    insert_model("b");
    insert_model("idle");
    for (int i = 0; i < 3; i++) {
        insert_run("a", NULL);
        insert_run("b", NULL);
    }
    succeed(claim(3000), six); /* run 1 of a */
    claim(3001);               /* run 2 of b */
    expect_runs(NULL, -1, 0, 8, "6 5 4 3 2 1");
    expect_runs("a", -1, 0, 8, "5 3 1");
    expect_runs("idle", -1, 0, 8, "");
    expect_runs(NULL, RUN_QUEUED, 0, 8, "6 5 4 3");
    expect_runs(NULL, RUN_FAILED, 0, 8, "");
    expect_runs("a", RUN_SUCCEEDED, 0, 8, "1");
    expect_runs("b", RUN_SUCCEEDED, 0, 8, "");
    expect_runs("b", RUN_QUEUED, 6, 8, "4");
    int64_t cursor = expect_runs(NULL, -1, 0, 4, "6 5 4 3");
    cursor = expect_runs(NULL, -1, cursor, 4, "2 1");
    expect_runs(NULL, -1, cursor, 4, "");
    cursor = expect_runs("a", -1, 0, 2, "5 3");
    expect_runs("a", -1, cursor, 2, "1");
}
END_TEST

START_TEST(the_queue_has_an_end)
{
    int64_t run = 77;
    insert_model("iris");
    for (int i = 0; i < LIMIT_QUEUED_RUNS; i++)
        insert_run("iris", NULL);
    ck_assert_int_eq(store_run_insert(store, sequence_of("iris"), "{}", 9,
                                      &(struct run_data){.samples = &other_samples},
                                      &(struct run_data){.samples = NULL}, 2000, &run),
                     STORE_QUEUE_FULL);
    ck_assert_int_eq(run, 77);
    ck_assert_int_eq(ask("SELECT count(*) FROM samples"), 1);
    claim(3000);
    insert_run("iris", NULL);
}
END_TEST

/* --- the file --- */

START_TEST(reopening_keeps_everything)
{
    struct model_record record;
    insert_model("iris");
    const int64_t ended = insert_run("iris", &other_samples), queued = insert_run("iris", NULL);
    claim(3000);
    add_epochs(ended, 1, 2);
    succeed(ended, other_six);
    reopen();
    ck_assert_int_eq(store_model_find(store, "iris", &record), STORE_OK);
    ck_assert_int_eq(record.version, 2);
    ck_assert_str_eq(record.config, "{\"T\":100}");
    model_record_finish(&record);
    expect_weight("iris", 1, six);
    expect_weight("iris", 2, other_six);
    expect_queued_run(queued);
    ck_assert_int_eq(state_of(ended), RUN_SUCCEEDED);
    ck_assert_int_eq(ask("SELECT count(*) FROM metrics"), 2);
    expect_samples(ended, true, &other_samples);
}
END_TEST

START_TEST(readers_see_what_was_committed_and_write_nothing)
{
    struct store *writer = store;
    insert_model("iris");
    ck_assert_int_eq(store_open_reader(path, &store), STORE_OK);
    expect_weight("iris", 1, six);
    const struct model_change change = {.description = "changed"};
    ck_assert_int_ne(store_model_update(store, sequence_of("iris"), &change, 1), STORE_OK);
    struct store *reader = store;
    store = writer;
    insert_model("second");
    store = reader;
    expect_models(0, 8, "second iris");
    store_close(reader);
    store = writer;
}
END_TEST

START_TEST(a_second_writer_is_refused)
{
    struct store *second = NULL;
    insert_model("iris");
    ck_assert_int_eq(store_open_writer(path, &second), STORE_LOCKED);
    ck_assert_ptr_null(second);
    insert_model("goes-on");
    store_close(store);
    store = NULL;
    ck_assert_int_eq(store_open_writer(path, &store), STORE_OK);
    expect_models(0, 8, "goes-on iris");
}
END_TEST

/* The whole file, with a terminating zero. free(). */
static unsigned char *read_file(size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    fseek(file, 0, SEEK_END);
    const size_t size = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = calloc(1, size + 1);
    ck_assert_ptr_nonnull(bytes);
    ck_assert_uint_eq(fread(bytes, 1, size, file), size);
    fclose(file);
    *ret_size = size;
    return bytes;
}

static void write_file(const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

static void expect_refused_untouched(enum store_status expected)
{
    size_t before_size, after_size;
    unsigned char *before = read_file(&before_size);
    ck_assert_int_eq(store_open_writer(path, &store), expected);
    ck_assert_ptr_null(store);
    unsigned char *after = read_file(&after_size);
    ck_assert_uint_eq(before_size, after_size);
    ck_assert_mem_eq(before, after, after_size);
    free(before);
    free(after);
}

static void close_store(void)
{
    store_close(store);
    store = NULL;
}

START_TEST(a_newer_database_is_refused_untouched)
{
    insert_model("iris");
    close_store();
    run_sql("PRAGMA user_version = 1000");
    expect_refused_untouched(STORE_NEWER);
}
END_TEST

START_TEST(another_programs_database_is_refused_untouched)
{
    close_store();
    unlink(path);
    run_sql("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
    expect_refused_untouched(STORE_FOREIGN);
    run_sql("PRAGMA application_id = 12345; PRAGMA user_version = 1");
    expect_refused_untouched(STORE_FOREIGN);
}
END_TEST

START_TEST(what_is_no_database_is_refused_untouched)
{
    static const char text[] = "A letter to my mother, long enough to be taken for a header.....";
    char letter[8192];
    for (size_t i = 0; i < sizeof letter; i++)
        letter[i] = text[i % (sizeof text - 1)];
    close_store();
    write_file(letter, sizeof letter);
    expect_refused_untouched(STORE_CORRUPT);
}
END_TEST

START_TEST(a_file_that_cant_be_opened_is_unavailable)
{
    struct store *none = NULL;
    ck_assert_int_eq(store_open_writer("/nowhere/at/all.db", &none), STORE_UNAVAILABLE);
    ck_assert_int_eq(store_open_reader("/nowhere/at/all.db", &none), STORE_UNAVAILABLE);
    ck_assert_ptr_null(none);
}
END_TEST

/* Flips one bit of the only place where the file holds these bytes. */
static void damage(const void *bytes, size_t size)
{
    size_t file_size;
    close_store();
    unsigned char *file = read_file(&file_size);
    unsigned char *place = memmem(file, file_size, bytes, size);
    ck_assert_ptr_nonnull(place);
    ck_assert_ptr_null(memmem(place + 1, file_size - (size_t)(place + 1 - file), bytes, size));
    place[size / 2] ^= 1;
    write_file(file, file_size);
    free(file);
    ck_assert_int_eq(store_open_writer(path, &store), STORE_OK);
}

START_TEST(a_flipped_bit_in_a_tensor_is_detected)
{
    int64_t version;
    struct tensors tensors = {.count = 77};
    const struct tensor tensor = weight(other_six);
    insert_model("iris");
    ck_assert_int_eq(store_version_insert(store, sequence_of("iris"), &tensor, 1, 1500, &version),
                     STORE_OK);
    damage(other_six, sizeof other_six);
    ck_assert_int_eq(store_version_load(store, sequence_of("iris"), version, &tensors),
                     STORE_CORRUPT);
    ck_assert_uint_eq(tensors.count, 77);
    expect_weight("iris", 1, six);
}
END_TEST

START_TEST(a_flipped_bit_in_samples_is_detected)
{
    float values[] = {8.5f, 7.25f, -6.125f, 5e5f, 4e-4f, 3};
    int32_t label[] = {0x123456, 0x654321};
    const struct samples marked[] = {
        {.kind = SAMPLES_X, .count = 2, .features = 3, .values = values, .label = two_labels},
        {.kind = SAMPLES_X, .count = 2, .features = 3, .values = six_values, .label = label}};
    struct samples none = {.count = 77};
    int64_t run;
    insert_model("iris");
    ck_assert_int_eq(store_run_insert(store, sequence_of("iris"), "{}", 9,
                                      &(struct run_data){.samples = &marked[0]},
                                      &(struct run_data){.samples = &marked[1]}, 2000, &run),
                     STORE_OK);
    damage(values, sizeof values);
    ck_assert_int_eq(store_run_samples(store, run, false, &none), STORE_CORRUPT);
    expect_samples(run, true, &marked[1]);
    damage(label, sizeof label);
    ck_assert_int_eq(store_run_samples(store, run, true, &none), STORE_CORRUPT);
    ck_assert_uint_eq(none.count, 77);
}
END_TEST

START_TEST(a_mended_shape_does_not_pass_for_the_stored_one)
{
    struct samples none;
    insert_model("iris");
    const int64_t run = insert_run("iris", NULL);
    close_store();
    run_sql("UPDATE samples SET kind = 1");
    ck_assert_int_eq(store_open_writer(path, &store), STORE_OK);
    ck_assert_int_eq(store_run_samples(store, run, false, &none), STORE_CORRUPT);
}
END_TEST

static TCase *test_case(const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 30);
    return tests;
}

static TCase *model_tests(void)
{
    TCase *tests = test_case("models and versions");
    tcase_add_test(tests, a_model_reads_back_as_it_was_written);
    tcase_add_test(tests, the_longest_id_is_kept_whole);
    tcase_add_test(tests, a_taken_id_changes_nothing);
    tcase_add_test(tests, what_is_not_there_is_not_found);
    tcase_add_test(tests, models_are_listed_newest_first);
    tcase_add_test(tests, a_change_touches_only_what_it_names);
    tcase_add_test(tests, a_model_goes_with_all_that_is_its_own);
    tcase_add_test(tests, numbers_are_not_given_twice);
    tcase_add_test(tests, each_version_is_the_next_and_is_served);
    tcase_add_test(tests, versions_are_listed_newest_first_with_their_origin);
    tcase_add_test(tests, several_tensors_keep_names_shapes_and_order);
    return tests;
}

static TCase *run_tests(void)
{
    TCase *tests = test_case("runs");
    tcase_add_test(tests, a_run_reads_back_as_it_was_queued);
    tcase_add_test(tests, a_validation_set_is_kept_apart);
    tcase_add_test(tests, equal_samples_are_stored_once_and_go_with_their_last_run);
    tcase_add_test(tests, one_run_of_a_model_at_a_time_and_the_oldest_first);
    tcase_add_test(tests, a_claimed_run_starts_from_the_version_served_then);
    tcase_add_test(tests, metrics_are_read_in_order_after_a_cursor);
    tcase_add_test(tests, success_publishes_with_its_last_metrics);
    tcase_add_test(tests, an_end_that_fails_leaves_no_part_of_itself);
    tcase_add_test(tests, a_success_that_cant_be_noted_publishes_nothing);
    tcase_add_test(tests, a_model_made_anew_is_another_one);
    tcase_add_test(tests, failure_keeps_its_reason_and_publishes_nothing);
    tcase_add_test(tests, cancelling_ends_a_queued_run_and_marks_a_running_one);
    tcase_add_test(tests, after_a_crash_running_runs_begin_again_from_their_base);
    tcase_add_test(tests, after_a_crash_runs_to_be_cancelled_are_and_others_stay);
    tcase_add_test(tests, runs_are_listed_newest_first_by_model_and_state);
    tcase_add_test(tests, the_queue_has_an_end);
    return tests;
}

static TCase *file_tests(void)
{
    TCase *tests = test_case("the file");
    tcase_add_test(tests, reopening_keeps_everything);
    tcase_add_test(tests, readers_see_what_was_committed_and_write_nothing);
    tcase_add_test(tests, a_second_writer_is_refused);
    tcase_add_test(tests, a_newer_database_is_refused_untouched);
    tcase_add_test(tests, another_programs_database_is_refused_untouched);
    tcase_add_test(tests, what_is_no_database_is_refused_untouched);
    tcase_add_test(tests, a_file_that_cant_be_opened_is_unavailable);
    tcase_add_test(tests, a_flipped_bit_in_a_tensor_is_detected);
    tcase_add_test(tests, a_flipped_bit_in_samples_is_detected);
    tcase_add_test(tests, a_mended_shape_does_not_pass_for_the_stored_one);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("store");
    suite_add_tcase(suite, model_tests());
    suite_add_tcase(suite, run_tests());
    suite_add_tcase(suite, file_tests());
    return suite_run(suite);
}
