#include "server/store/samples.h"

#include <string.h>

#include "server/base/limits.h"
#include "server/store/query.h"

/* The numbers that are stored; each takes four bytes. */
struct parts {
    const void *data;    /* values, or how many spikes each afferent has */
    const void *times;   /* of spike trains, else NULL */
    const void *targets; /* labels, or counts */
    size_t data_bytes, times_bytes, targets_bytes;
};

static struct parts parts_of(const struct samples *samples)
{
    const struct spike_trains *trains = &samples->data.trains;
    const struct targets *targets = &samples->targets;
    struct parts parts = {
        .data = samples->data.values,
        .targets = targets->label,
        .data_bytes = samples->count * samples->features * sizeof(float),
        .targets_bytes = samples->count * sizeof *targets->label,
    };
    if (samples->kind == SAMPLES_SPIKE_TRAINS) {
        parts.data = trains->spikes;
        parts.times = trains->times;
        parts.times_bytes = trains->first[samples->count] * sizeof *trains->times;
    }
    if (targets->kind == TARGETS_COUNT) {
        parts.targets = targets->wanted;
        parts.targets_bytes = samples->count * targets->outputs * sizeof *targets->wanted;
    }
    return parts;
}

/* Counts follow their number of outputs, which labels do not have. */
void store_samples_checksum(const struct samples *samples, char ret_sha256[CHECKSUM_TEXT])
{
    struct checksum checksum;
    const struct parts parts = parts_of(samples);
    /* The numbers of enum samples_kind are part of stored checksums: they never change. */
    const uint64_t head[] = {samples->kind, samples->count, samples->features};
    const uint64_t outputs = samples->targets.outputs;
    checksum_init(&checksum);
    checksum_add(&checksum, head, sizeof head);
    checksum_add(&checksum, parts.data, parts.data_bytes);
    checksum_add(&checksum, parts.times, parts.times_bytes);
    if (samples->targets.kind == TARGETS_COUNT)
        checksum_add(&checksum, &outputs, sizeof outputs);
    checksum_add(&checksum, parts.targets, parts.targets_bytes);
    checksum_finish(&checksum, ret_sha256);
}

/* The table requires labels: for samples with counts they are 0. */
enum store_status store_samples_insert(struct store *store, const struct samples *samples,
                                       const char *sha256, int64_t *ret_id)
{
    const struct parts parts = parts_of(samples);
    const bool has_counts = samples->targets.kind == TARGETS_COUNT;
    struct query insert = query_begin(
        store, "INSERT INTO samples (sha256, kind, count, features, data, times, label, outputs, "
               "counts) VALUES (?, ?, ?, ?, ?, ?, ifnull(?, zeroblob(4 * ?3)), ?, ?) ON CONFLICT "
               "(sha256) DO NOTHING");
    query_text(&insert, sha256);
    query_integer(&insert, samples->kind != SAMPLES_VALUES);
    query_integer(&insert, (int64_t)samples->count);
    query_integer(&insert, (int64_t)samples->features);
    query_blob(&insert, parts.data, parts.data_bytes);
    query_blob(&insert, parts.times, parts.times_bytes);
    query_blob(&insert, has_counts ? NULL : parts.targets, parts.targets_bytes);
    query_integer_or_null(&insert, has_counts ? (int64_t)samples->targets.outputs : 0);
    query_blob(&insert, has_counts ? parts.targets : NULL, parts.targets_bytes);
    const enum store_status status = query_run(&insert);
    if (status != STORE_OK)
        return status;
    struct query find = query_begin(store, "SELECT id FROM samples WHERE sha256 = ?");
    query_text(&find, sha256);
    return query_number(&find, ret_id);
}

/* As many as have the bytes of a piece, and at least one. */
enum store_status store_samples_sweep(struct store *store)
{
    struct query query = query_begin(
        store,
        "WITH next AS (SELECT id, " QUERY_SWEPT_ROW " + length(data) + ifnull(length(times), 0) + "
        "ifnull(length(counts), 0) AS size FROM samples s WHERE NOT EXISTS (SELECT 1 FROM runs r "
        "WHERE r.samples = s.id) AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.validation = s.id) "
        "LIMIT " QUERY_SWEPT_ROWS ") DELETE FROM samples WHERE id IN (SELECT id FROM (SELECT id, "
        "sum(size) OVER (ORDER BY id) - size AS before FROM next) WHERE before < " QUERY_SWEPT_BYTES
        ")");
    return query_change(&query);
}

/* --- loading --- */

/* The table has one kind for both kinds of spikes; only spike trains have times in it. */
static enum store_status read_kind(sqlite3_stmt *row, int column, void *ret_samples)
{
    const int64_t kind = sqlite3_column_int64(row, column);
    if (kind < SAMPLES_VALUES || kind > SAMPLES_SPIKE_TRAINS)
        return STORE_CORRUPT;
    ((struct samples *)ret_samples)->kind = (enum samples_kind)kind;
    return STORE_OK;
}

static enum store_status read_targets(sqlite3_stmt *row, int column, void *ret_samples)
{
    struct samples *samples = ret_samples;
    struct targets *targets = &samples->targets;
    targets->kind = targets->outputs > 0 ? TARGETS_COUNT : TARGETS_CLASS;
    return targets->kind == TARGETS_CLASS
               ? query_copy_numbers(row, column, samples->count, 1, &targets->label)
               : query_copy_numbers(row, column, samples->count, targets->outputs,
                                    &targets->wanted);
}

/* Values or spike times, or else how many spikes each afferent has. */
static enum store_status read_data(sqlite3_stmt *row, int column, void *ret_samples)
{
    struct samples *samples = ret_samples;
    void *data = samples->kind == SAMPLES_SPIKE_TRAINS ? (void *)&samples->data.trains.spikes
                                                       : (void *)&samples->data.values;
    return query_copy_numbers(row, column, samples->count, samples->features, data);
}

static enum store_status read_times(sqlite3_stmt *row, int column, void *ret_samples)
{
    struct samples *samples = ret_samples;
    struct spike_trains *trains = &samples->data.trains;
    if (samples->kind != SAMPLES_SPIKE_TRAINS)
        return STORE_OK;
    if (!samples_index(samples))
        return STORE_NO_MEMORY;
    return query_copy_numbers(row, column, trains->first[samples->count], 1, &trains->times);
}

static enum store_status verify(sqlite3_stmt *row, int column, void *samples)
{
    char actual[CHECKSUM_TEXT];
    const char *expected = (const char *)sqlite3_column_text(row, column);
    store_samples_checksum(samples, actual);
    return expected != NULL && strcmp(actual, expected) == 0 ? STORE_OK : STORE_CORRUPT;
}

static void finish(void *samples)
{
    samples_finish(samples);
}

/* The readers of BLOBs need what is read before them. */
#define COLUMN(sql, ...) QUERY_COLUMN(sql, samples, __VA_ARGS__)
#define COLUMNS                                                                                    \
    {"s.kind + (s.times IS NOT NULL)", .read = read_kind}, COLUMN("s.count", count, .min = 1),     \
        COLUMN("s.features", features, .min = 1),                                                  \
        COLUMN("s.outputs", targets.outputs, .max = LIMIT_OUT_FEATURES),                           \
        {"ifnull(s.counts, s.label)", .read = read_targets}, {"s.data", .read = read_data},        \
        {"s.times", .read = read_times},                                                           \
    {                                                                                              \
        "s.sha256", .read = verify                                                                 \
    }
static const struct query_column columns[] = {COLUMNS, {0}};
static const struct query_column columns_of_run[] = {
    COLUMNS,
    QUERY_HOLDS("s.sha256 IS iif(s.id = r.samples, r.samples_sha256, r.validation_sha256)"),
    {0},
};
static const struct query_record rows = {
    .size = sizeof(struct samples), .finish = finish, .columns = columns};
static const struct query_record rows_of_run = {
    .size = sizeof(struct samples), .finish = finish, .columns = columns_of_run};

enum store_status store_samples_find(struct store *store, int64_t id, struct samples *ret_samples)
{
    struct query query = query_select(store, &rows, "FROM samples s WHERE s.id = ?");
    query_integer(&query, id);
    return query_row(&query, ret_samples);
}

enum store_status store_samples_load(struct store *store, int64_t run, bool validation,
                                     struct samples *ret_samples)
{
    struct query query = query_select(
        store, &rows_of_run,
        "FROM runs r JOIN samples s ON s.id = iif(?, r.validation, r.samples) WHERE r.id = ?");
    query_integer(&query, validation);
    query_integer(&query, run);
    return query_row(&query, ret_samples);
}
