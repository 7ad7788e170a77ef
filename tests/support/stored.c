#include "tests/support/stored.h"

#include <check.h>
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/checksum.h"
#include "server/store/datasets.h"
#include "server/store/query.h"

/* --- one directory, database and writer a test --- */

struct store *store;
char store_path[96];
static char directory[64];

void store_set_up(void)
{
    snprintf(directory, sizeof directory, "/tmp/tempotrond-store-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(store_path, sizeof store_path, "%s/models.db", directory);
    ck_assert_int_eq(store_open_writer(store_path, &store), STORE_OK);
}

void store_shut(void)
{
    store_close(store);
    store = NULL;
}

void store_remove(void)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    store_shut();
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", store_path, suffixes[i]);
        unlink(name);
    }
}

void store_tear_down(void)
{
    store_remove();
    ck_assert_int_eq(rmdir(directory), 0);
}

void store_reopen(void)
{
    store_shut();
    ck_assert_int_eq(store_open_writer(store_path, &store), STORE_OK);
}

/* --- what is stored --- */

const float six[6] = {1, 2, 3, 4, 5, 6};
const float other_six[6] = {-1, 0.5f, 3e-30f, -4, 1e30f, 6};
static float six_values[6] = {1, 2, 3, 4, 5, 6};
static int32_t two_labels[] = {0, 1};
static int32_t other_labels[] = {1, 1};

const struct samples two_samples = {.kind = SAMPLES_VALUES,
                                    .count = 2,
                                    .features = 3,
                                    .data.values = six_values,
                                    .targets = {.kind = TARGETS_CLASS, .label = two_labels}};
const struct samples other_samples = {.kind = SAMPLES_SPIKE_TIMES,
                                      .count = 2,
                                      .features = 3,
                                      .data.values = six_values,
                                      .targets = {.kind = TARGETS_CLASS, .label = other_labels}};

struct tensor weight_of(const float *values)
{
    return (struct tensor){.name = "weight", .rows = 2, .columns = 3, .values = values};
}

const struct sealed_tensors *seal(const struct tensor *tensors, size_t count)
{
    static struct sealed_tensors sealed[8];
    static unsigned next;
    struct sealed_tensors *mine = &sealed[next++ % 8];
    *mine = tensors_seal(tensors, count);
    return mine;
}

struct data_source source_of(const struct samples *samples)
{
    struct data_source source = {.samples = *samples};
    store_samples_checksum(samples, source.sha256);
    return source;
}

enum store_status try_model(const char *id, int64_t now)
{
    char description[] = "three flowers", config[] = "{\"T\":100}", labels[] = "[\"a\",\"b\"]";
    struct model_record record = {.description = description, .config = config, .labels = labels};
    const struct tensor tensor = weight_of(six);
    snprintf(record.id, sizeof record.id, "%s", id);
    int64_t sequence;
    return store_model_insert(store, &record, seal(&tensor, 1), false, now, &sequence);
}

void insert_model(const char *id)
{
    ck_assert_int_eq(try_model(id, 1000), STORE_OK);
}

int64_t insert_run(const char *model, const struct samples *validation)
{
    int64_t run = 0;
    struct data_source data = source_of(&two_samples), validation_data = {0};
    if (validation != NULL)
        validation_data = source_of(validation);
    ck_assert_int_eq(store_queue_insert(store, sequence_of(model), "{\"epochs\":9}", 9, 0, &data,
                                        &validation_data, 2000, &run),
                     STORE_OK);
    return run;
}

void put_dataset(const char *id, uint8_t value)
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

bool takes_any_memory(void *context, size_t memory)
{
    (void)context;
    (void)memory;
    return true;
}

int64_t claim_run(int64_t now)
{
    struct run_record record;
    const enum store_status status = store_queue_claim(store, now, takes_any_memory, NULL, &record);
    if (status == STORE_NOT_FOUND)
        return 0;
    ck_assert_int_eq(status, STORE_OK);
    ck_assert_int_eq(record.state, RUN_RUNNING);
    const int64_t run = record.id;
    run_record_finish(&record);
    return run;
}

int64_t succeed_run(int64_t run, const float *values)
{
    const struct tensor tensor = weight_of(values);
    const struct run_end success = {.state = RUN_SUCCEEDED, .tensors = seal(&tensor, 1)};
    ck_assert_int_eq(store_run_end(store, run, NULL, 0, &success, 5000), STORE_OK);
    struct run_record record = find_run(run);
    const int64_t version = record.version;
    run_record_finish(&record);
    return version;
}

void add_epochs(int64_t run, int64_t from, int64_t to)
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

/* --- what is there --- */

int64_t sequence_of(const char *id)
{
    struct model_record record = {0};
    if (store_model_find(store, id, &record) != STORE_OK)
        return 0;
    const int64_t sequence = record.sequence;
    model_record_finish(&record);
    return sequence;
}

struct run_record find_run(int64_t run)
{
    struct run_record record = {0};
    ck_assert_int_eq(store_run_find(store, run, &record), STORE_OK);
    return record;
}

enum run_state state_of(int64_t run)
{
    struct run_record record = find_run(run);
    const enum run_state state = record.state;
    run_record_finish(&record);
    return state;
}

int64_t served_by_store(const char *model)
{
    struct model_record record = {0};
    ck_assert_int_eq(store_model_find(store, model, &record), STORE_OK);
    const int64_t version = record.version;
    model_record_finish(&record);
    return version;
}

void expect_weight(const char *model, int64_t version, const float *values)
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

void expect_samples(int64_t run, bool validation, const struct samples *expected)
{
    struct samples found = {0};
    ck_assert_int_eq(store_samples_load(store, run, validation, &found), STORE_OK);
    ck_assert_int_eq(found.kind, expected->kind);
    ck_assert_uint_eq(found.count, expected->count);
    ck_assert_uint_eq(found.features, expected->features);
    ck_assert_mem_eq(found.data.values, expected->data.values, sizeof six_values);
    ck_assert_int_eq(found.targets.kind, TARGETS_CLASS);
    ck_assert_mem_eq(found.targets.label, expected->targets.label, sizeof two_labels);
    samples_finish(&found);
}

void expect_queued_run(int64_t run)
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
    ck_assert_str_eq(record.samples_sha256, TWO_SAMPLES_SHA256);
    ck_assert_str_eq(record.validation_sha256, "");
    ck_assert_int_eq(record.created_at, 2000);
    ck_assert_int_eq(record.started_at, 0);
    ck_assert_int_eq(record.finished_at, 0);
    run_record_finish(&record);
}

int64_t expect_models(int64_t before, size_t limit, const char *expected)
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

int64_t store_number(struct store *of, const char *sql)
{
    int64_t number = 0;
    struct query query = query_begin(of, sql);
    ck_assert_int_eq(query_number(&query, &number), STORE_OK);
    return number;
}

int64_t ask_sql(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    ck_assert_int_eq(sqlite3_open_v2(store_path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

void run_sql(const char *sql)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(store_path, &db), SQLITE_OK);
    const int result = sqlite3_exec(db, sql, NULL, NULL, NULL);
    ck_assert_msg(result == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}
