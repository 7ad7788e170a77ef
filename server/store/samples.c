#include "server/store/samples.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/store/query.h"

/* The table has one kind for both kinds of spikes; only spike trains have times in it. */
enum { TABLE_X, TABLE_IN_SPIKES };

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
static void checksum_of(const struct samples *samples, char ret_text[CHECKSUM_TEXT])
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
    checksum_finish(&checksum, ret_text);
}

/* The table requires labels: for samples with counts they are 0. */
static void bind_targets(struct query *insert, const struct samples *samples,
                         const struct parts *parts)
{
    if (samples->targets.kind == TARGETS_CLASS) {
        query_blob(insert, parts->targets, parts->targets_bytes);
        return;
    }
    query_zeros(insert, samples->count * sizeof *samples->targets.label);
    query_integer(insert, (int64_t)samples->targets.outputs);
    query_blob(insert, parts->targets, parts->targets_bytes);
}

enum store_status store_samples_insert(struct store *store, const struct samples *samples,
                                       int64_t *ret_id, char sha256[CHECKSUM_TEXT])
{
    const struct parts parts = parts_of(samples);
    checksum_of(samples, sha256);
    struct query insert = query_begin(
        store, "INSERT INTO samples (sha256, kind, count, features, data, times, label, outputs, "
               "counts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING");
    query_text(&insert, sha256);
    query_integer(&insert, samples->kind == SAMPLES_VALUES ? TABLE_X : TABLE_IN_SPIKES);
    query_integer(&insert, (int64_t)samples->count);
    query_integer(&insert, (int64_t)samples->features);
    query_blob(&insert, parts.data, parts.data_bytes);
    query_blob(&insert, parts.times, parts.times_bytes);
    bind_targets(&insert, samples, &parts);
    const enum store_status status = query_run(&insert);
    if (status != STORE_OK)
        return status;
    struct query find = query_begin(store, "SELECT id FROM samples WHERE sha256 = ?");
    query_text(&find, sha256);
    return query_number(&find, ret_id);
}

enum store_status store_samples_prune(struct store *store)
{
    struct query query = query_begin(
        store, "DELETE FROM samples WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.samples = "
               "samples.id) AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.validation = samples.id)");
    return query_run(&query);
}

/* --- loading --- */

static enum store_status copy_targets(struct query *query, size_t count, struct targets *targets)
{
    return targets->kind == TARGETS_CLASS
               ? query_column_numbers(query, count, 1, &targets->label)
               : query_column_numbers(query, count, targets->outputs, &targets->wanted);
}

static enum store_status copy_trains(struct query *query, struct samples *samples)
{
    struct spike_trains *trains = &samples->data.trains;
    const enum store_status status =
        query_column_numbers(query, samples->count, samples->features, &trains->spikes);
    if (status != STORE_OK)
        return status;
    if (!samples_index(samples))
        return STORE_NO_MEMORY;
    return query_column_numbers(query, trains->first[samples->count], 1, &trains->times);
}

static enum store_status copy_data(struct query *query, struct samples *samples)
{
    return samples->kind == SAMPLES_SPIKE_TRAINS
               ? copy_trains(query, samples)
               : query_column_numbers(query, samples->count, samples->features,
                                      &samples->data.values);
}

static enum store_status verify(const struct samples *samples, const char *sha256)
{
    char actual[CHECKSUM_TEXT];
    checksum_of(samples, actual);
    return strcmp(actual, sha256) == 0 ? STORE_OK : STORE_CORRUPT;
}

static enum store_status read_samples(struct query *query, void *ret_samples)
{
    char sha256[CHECKSUM_TEXT];
    struct samples samples = {.kind = SAMPLES_SPIKE_TIMES};
    query_column_string(query, sha256, sizeof sha256);
    const bool has_values = query_column(query) == TABLE_X;
    const bool has_times = query_column(query) != 0;
    if (has_values || has_times)
        samples.kind = has_values ? SAMPLES_VALUES : SAMPLES_SPIKE_TRAINS;
    samples.count = (size_t)query_column(query);
    samples.features = (size_t)query_column(query);
    samples.targets.outputs = (size_t)query_column(query);
    samples.targets.kind = samples.targets.outputs > 0 ? TARGETS_COUNT : TARGETS_CLASS;
    enum store_status status = copy_targets(query, samples.count, &samples.targets);
    if (status == STORE_OK)
        status = copy_data(query, &samples);
    if (status == STORE_OK)
        status = verify(&samples, sha256);
    if (status == STORE_OK)
        *(struct samples *)ret_samples = samples;
    else
        samples_finish(&samples);
    return status;
}

enum store_status store_samples_load(struct store *store, int64_t run, bool validation,
                                     struct samples *ret_samples)
{
    static const struct query_record kind = {sizeof *ret_samples, read_samples, NULL};
    struct query query = query_begin(
        store, "SELECT s.sha256, s.kind, s.times IS NOT NULL, s.count, s.features, s.outputs, "
               "ifnull(s.counts, s.label), s.data, s.times FROM runs r "
               "JOIN samples s ON s.id = iif(?, r.validation, r.samples) WHERE r.id = ?");
    query_integer(&query, validation);
    query_integer(&query, run);
    return query_row(&query, &kind, ret_samples);
}
