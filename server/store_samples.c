/* Samples are found by their checksum: training again on the same data stores nothing again. */
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "store_query.h"

static size_t values_bytes(const struct samples *samples)
{
    return samples->count * samples->features * sizeof *samples->values;
}

static size_t label_bytes(const struct samples *samples)
{
    return samples->count * sizeof *samples->label;
}

static void checksum_of(const struct samples *samples, char ret_text[CHECKSUM_TEXT])
{
    struct checksum checksum;
    const uint64_t head[] = {samples->kind, samples->count, samples->features};
    checksum_init(&checksum);
    checksum_add(&checksum, head, sizeof head);
    checksum_add(&checksum, samples->values, values_bytes(samples));
    checksum_add(&checksum, samples->label, label_bytes(samples));
    checksum_finish(&checksum, ret_text);
}

enum store_status store_samples_insert(struct store *store, const struct samples *samples,
                                       int64_t *ret_id)
{
    char sha256[CHECKSUM_TEXT];
    checksum_of(samples, sha256);
    struct query insert =
        query_begin(store, "INSERT INTO samples (sha256, kind, count, features, data, label) "
                           "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING");
    query_text(&insert, sha256);
    query_integer(&insert, samples->kind);
    query_integer(&insert, (int64_t)samples->count);
    query_integer(&insert, (int64_t)samples->features);
    query_blob(&insert, samples->values, values_bytes(samples));
    query_blob(&insert, samples->label, label_bytes(samples));
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

static enum store_status copy_samples(const struct query *query, struct samples *ret_samples)
{
    char actual[CHECKSUM_TEXT];
    struct samples samples = {
        .kind = (enum samples_kind)query_column(query, 1),
        .count = (size_t)query_column(query, 2),
        .features = (size_t)query_column(query, 3),
    };
    const void *values = query_column_blob(query, 4, samples.count, samples.features);
    const void *label = query_column_blob(query, 5, samples.count, 1);
    if (values == NULL || label == NULL)
        return STORE_CORRUPT;
    samples.values = malloc(values_bytes(&samples));
    samples.label = malloc(label_bytes(&samples));
    enum store_status status = STORE_NO_MEMORY;
    if (samples.values != NULL && samples.label != NULL) {
        memcpy(samples.values, values, values_bytes(&samples));
        memcpy(samples.label, label, label_bytes(&samples));
        checksum_of(&samples, actual);
        status = strcmp(actual, query_column_text(query, 0)) == 0 ? STORE_OK : STORE_CORRUPT;
    }
    if (status == STORE_OK)
        *ret_samples = samples;
    else
        samples_finish(&samples);
    return status;
}

enum store_status store_run_samples(struct store *store, int64_t run, bool validation,
                                    struct samples *ret_samples)
{
    struct query query = query_begin(
        store, "SELECT s.sha256, s.kind, s.count, s.features, s.data, s.label FROM runs r "
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
