#include "server/store/samples.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/store/query.h"

/* In the table both kinds of spikes are in_spikes; trains have their times apart. */
enum { TABLE_X, TABLE_IN_SPIKES };

static const void *data_of(const struct samples *samples)
{
    return samples->kind == SAMPLES_SPIKE_TRAINS ? (const void *)samples->data.trains.spikes
                                                 : samples->data.values;
}

/* Values, or counts of spikes: four bytes each. */
static size_t data_bytes(const struct samples *samples)
{
    return samples->count * samples->features * sizeof(float);
}

static size_t times_bytes(const struct samples *samples)
{
    const struct spike_trains *trains = &samples->data.trains;
    return samples->kind == SAMPLES_SPIKE_TRAINS
               ? trains->first[samples->count] * sizeof *trains->times
               : 0;
}

static size_t label_bytes(const struct samples *samples)
{
    return samples->count * sizeof *samples->targets.label;
}

static size_t counts_bytes(const struct samples *samples)
{
    return samples->count * samples->targets.outputs * sizeof *samples->targets.wanted;
}

/* Labels, or counts, which are told from them by what is longer. */
static void add_targets(const struct samples *samples, struct checksum *checksum)
{
    const uint64_t outputs = samples->targets.outputs;
    if (samples->targets.kind == TARGETS_CLASS) {
        checksum_add(checksum, samples->targets.label, label_bytes(samples));
        return;
    }
    checksum_add(checksum, &outputs, sizeof outputs);
    checksum_add(checksum, samples->targets.wanted, counts_bytes(samples));
}

static void checksum_of(const struct samples *samples, char ret_text[CHECKSUM_TEXT])
{
    struct checksum checksum;
    /* so the numbers of enum samples_kind stay what they are */
    const uint64_t head[] = {samples->kind, samples->count, samples->features};
    checksum_init(&checksum);
    checksum_add(&checksum, head, sizeof head);
    checksum_add(&checksum, data_of(samples), data_bytes(samples));
    if (samples->kind == SAMPLES_SPIKE_TRAINS)
        checksum_add(&checksum, samples->data.trains.times, times_bytes(samples));
    add_targets(samples, &checksum);
    checksum_finish(&checksum, ret_text);
}

/* The last three columns. Samples with counts have no labels, but the table wants some. */
static void bind_targets(struct query *insert, const struct samples *samples)
{
    if (samples->targets.kind == TARGETS_CLASS) {
        query_blob(insert, samples->targets.label, label_bytes(samples));
        return;
    }
    query_zeros(insert, label_bytes(samples));
    query_integer(insert, (int64_t)samples->targets.outputs);
    query_blob(insert, samples->targets.wanted, counts_bytes(samples));
}

enum store_status store_samples_insert(struct store *store, const struct samples *samples,
                                       int64_t *ret_id, char sha256[CHECKSUM_TEXT])
{
    checksum_of(samples, sha256);
    struct query insert = query_begin(
        store, "INSERT INTO samples (sha256, kind, count, features, data, times, label, outputs, "
               "counts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING");
    query_text(&insert, sha256);
    query_integer(&insert, samples->kind == SAMPLES_VALUES ? TABLE_X : TABLE_IN_SPIKES);
    query_integer(&insert, (int64_t)samples->count);
    query_integer(&insert, (int64_t)samples->features);
    query_blob(&insert, data_of(samples), data_bytes(samples));
    if (samples->kind == SAMPLES_SPIKE_TRAINS)
        query_blob(&insert, samples->data.trains.times, times_bytes(samples));
    else
        query_integer_or_null(&insert, 0);
    bind_targets(&insert, samples);
    enum store_status status = query_run(&insert);
    if (status != STORE_OK)
        return status;
    struct query find = query_begin(store, "SELECT id FROM samples WHERE sha256 = ?");
    query_text(&find, sha256);
    status = query_next(&find);
    if (status != STORE_OK)
        return status;
    *ret_id = query_column(&find, 0);
    query_end(&find);
    return STORE_OK;
}

enum store_status store_samples_prune(struct store *store)
{
    struct query query = query_begin(
        store, "DELETE FROM samples WHERE NOT EXISTS (SELECT 1 FROM runs r WHERE r.samples = "
               "samples.id) AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.validation = samples.id)");
    return query_run(&query);
}

static void *copy(const void *data, size_t bytes)
{
    void *memory = malloc(bytes + 1);
    if (memory != NULL && bytes > 0)
        memcpy(memory, data, bytes);
    return memory;
}

/* As many times of trains as `spikes`, which were read before, count. */
static enum store_status copy_times(const struct query *query, int column, struct samples *samples)
{
    struct spike_trains *trains = &samples->data.trains;
    if (!samples_index(samples))
        return STORE_NO_MEMORY;
    const size_t count = trains->first[samples->count];
    const void *times = query_column_blob(query, column, count, 1);
    if (times == NULL && count > 0)
        return STORE_CORRUPT;
    trains->times = copy(times, count * sizeof *trains->times);
    return trains->times != NULL ? STORE_OK : STORE_NO_MEMORY;
}

static enum store_status copy_targets(const struct query *query, struct samples *samples)
{
    struct targets *targets = &samples->targets;
    if (targets->kind == TARGETS_CLASS) {
        const void *label = query_column_blob(query, 5, samples->count, 1);
        if (label == NULL)
            return STORE_CORRUPT;
        targets->label = copy(label, label_bytes(samples));
        return targets->label != NULL ? STORE_OK : STORE_NO_MEMORY;
    }
    const void *counts = query_column_blob(query, 9, samples->count, targets->outputs);
    if (counts == NULL)
        return STORE_CORRUPT;
    targets->wanted = copy(counts, counts_bytes(samples));
    return targets->wanted != NULL ? STORE_OK : STORE_NO_MEMORY;
}

static enum store_status copy_arrays(const struct query *query, struct samples *samples)
{
    const void *data = query_column_blob(query, 4, samples->count, samples->features);
    if (data == NULL)
        return STORE_CORRUPT;
    const enum store_status status = copy_targets(query, samples);
    if (status != STORE_OK)
        return status;
    void *copied = copy(data, data_bytes(samples));
    if (samples->kind != SAMPLES_SPIKE_TRAINS) {
        samples->data.values = copied;
        return copied != NULL ? STORE_OK : STORE_NO_MEMORY;
    }
    samples->data.trains.spikes = copied;
    return copied != NULL ? copy_times(query, 6, samples) : STORE_NO_MEMORY;
}

static enum store_status copy_samples(const struct query *query, struct samples *ret_samples)
{
    char actual[CHECKSUM_TEXT];
    const bool has_times = query_column(query, 7) != 0;
    const bool is_x = query_column(query, 1) == TABLE_X;
    const size_t outputs = (size_t)query_column(query, 8);
    struct samples samples = {
        .kind = is_x        ? SAMPLES_VALUES
                : has_times ? SAMPLES_SPIKE_TRAINS
                            : SAMPLES_SPIKE_TIMES,
        .count = (size_t)query_column(query, 2),
        .features = (size_t)query_column(query, 3),
        .targets = {.kind = outputs > 0 ? TARGETS_COUNT : TARGETS_CLASS, .outputs = outputs},
    };
    enum store_status status = copy_arrays(query, &samples);
    if (status == STORE_OK) {
        checksum_of(&samples, actual);
        if (strcmp(actual, query_column_text(query, 0)) != 0)
            status = STORE_CORRUPT;
    }
    if (status == STORE_OK)
        *ret_samples = samples;
    else
        samples_finish(&samples);
    return status;
}

enum store_status store_samples_load(struct store *store, int64_t run, bool validation,
                                     struct samples *ret_samples)
{
    struct query query = query_begin(
        store, "SELECT s.sha256, s.kind, s.count, s.features, s.data, s.label, s.times, "
               "s.times IS NOT NULL, s.outputs, s.counts FROM runs r "
               "JOIN samples s ON s.id = iif(?, r.validation, r.samples) WHERE r.id = ?");
    query_integer(&query, validation);
    query_integer(&query, run);
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    status = copy_samples(&query, ret_samples);
    query_end(&query);
    return status;
}
