#include "server/store/models.h"

#include <stdlib.h>

#include "server/base/timestamp.h"
#include "server/store/query.h"
#include "server/store/retries.h"

void model_record_finish(struct model_record *record)
{
    free(record->description);
    free(record->config);
    free(record->summary);
    free(record->labels);
    *record = (struct model_record){0};
}

#define AS_TEXT(number)    #number
#define LISTED_TEXT(limit) AS_TEXT(limit)
#define MANY_LABELS        "label_count > " LISTED_TEXT(LIMIT_LISTED)
#define CHECKSUM_OF_ROW    "sha256(sequence, id, config, labels)"
/* Covers what listings show. */
#define CHECKSUM_OF_SUMMARY                                                                        \
    "sha256(sequence, id, ifnull(summary, config), label_count, iif(" MANY_LABELS ", NULL, "       \
    "labels))"

/* After each change of what they are the checksums of, in the same transaction. They are of the
 * row's number, too, which is known only there. */
static enum store_status update_checksums(struct store *store, int64_t model)
{
    struct query query =
        query_begin(store, "UPDATE models SET row_sha256 = " CHECKSUM_OF_ROW
                           ", listed_sha256 = " CHECKSUM_OF_SUMMARY " WHERE sequence = ?");
    query_integer(&query, model);
    return query_run(&query);
}

/* Inserts the row only; its version is published in the same transaction. */
static enum store_status insert_row(struct store *store, const struct model_record *record,
                                    int64_t now, int64_t *ret_sequence)
{
    struct query query = query_begin(
        store, "INSERT INTO models (id, description, config, labels, summary, label_count, "
               "version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, 1, ?7, ?7) ON CONFLICT "
               "(id) DO NOTHING RETURNING sequence");
    query_text(&query, record->id);
    query_text(&query, record->description);
    query_text(&query, record->config);
    query_text(&query, record->labels);
    query_text(&query, record->summary);
    query_integer(&query, (int64_t)record->label_count);
    query_integer(&query, now);
    const enum store_status status = query_number(&query, ret_sequence);
    return status == STORE_NOT_FOUND ? STORE_TAKEN : status;
}

enum store_status store_model_insert(struct store *store, const struct model_record *record,
                                     const struct sealed_tensors *tensors, bool are_drawn,
                                     int64_t now, int64_t *ret_sequence)
{
    int64_t sequence, version;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = insert_row(store, record, now, &sequence);
    if (status == STORE_OK)
        status = are_drawn ? store_version_note_drawn(store, sequence, tensors, now)
                           : store_version_publish(store, sequence, 0, tensors, now, &version);
    if (status == STORE_OK)
        status = update_checksums(store, sequence);
    if (status == STORE_OK)
        status = store_retry_keep(store, sequence, now);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_sequence = sequence;
    return status;
}

/* --- showing --- */

static void finish_model(void *record)
{
    model_record_finish(record);
}

#define COLUMN(sql, ...) QUERY_COLUMN(sql, model_record, __VA_ARGS__)
#define SHORT_COLUMNS                                                                              \
    COLUMN("sequence", sequence), COLUMN("id", id), COLUMN("description", description),            \
        COLUMN("version", version, .min = 1),                                                      \
        COLUMN("created_at", created_at, .max = TIMESTAMP_MAX),                                    \
        COLUMN("updated_at", updated_at, .max = TIMESTAMP_MAX)
static const struct query_column model_columns[] = {
    SHORT_COLUMNS,
    COLUMN("config", config),
    COLUMN("labels", labels),
    QUERY_HOLDS(CHECKSUM_OF_ROW " IS row_sha256"),
    {0},
};
static const struct query_record models = {
    .size = sizeof(struct model_record), .finish = finish_model, .columns = model_columns};

static const struct query_column summary_columns[] = {
    SHORT_COLUMNS,
    COLUMN("ifnull(summary, config)", config),
    COLUMN("iif(" MANY_LABELS ", NULL, labels)", labels),
    COLUMN("summary IS NOT NULL OR " MANY_LABELS, is_abridged),
    QUERY_HOLDS(CHECKSUM_OF_SUMMARY " IS listed_sha256"),
    {0},
};
static const struct query_record summaries = {sizeof(struct model_record), finish_model,
                                              summary_columns, .lists_damaged = true};

enum store_status store_model_find(struct store *store, const char *id,
                                   struct model_record *ret_record)
{
    struct query query = query_select(store, &models, "FROM models WHERE id = ?");
    query_text(&query, id);
    return query_row(&query, ret_record);
}

enum store_status store_model_find_made(struct store *store, int64_t sequence,
                                        struct model_record *ret_record)
{
    struct query query = query_select(store, &models, "FROM models WHERE sequence = ?");
    query_integer(&query, sequence);
    return query_row(&query, ret_record);
}

enum store_status store_model_list(struct store *store, int64_t before, size_t limit,
                                   struct model_record *records, size_t *ret_count)
{
    struct query query = query_select(
        store, &summaries, "FROM models WHERE sequence < ? ORDER BY sequence DESC LIMIT ?");
    query_page(&query, before, limit);
    return query_rows(&query, records, ret_count);
}

/* --- changing --- */

/* A queued or running run that uses a dataset whose classes have names looks them up among the
 * model's: they have to stay. */
static enum store_status check_names(struct store *store, int64_t model)
{
    struct query query = query_begin(
        store, "SELECT 1 FROM runs r JOIN datasets d ON d.sequence = r.dataset OR d.sequence = "
               "r.validation_dataset WHERE r.model = ? AND r.state IN ('queued', 'running') AND "
               "d.names IS NOT NULL");
    query_integer(&query, model);
    return query_refuse(&query, STORE_IN_USE);
}

/* STORE_NOT_FOUND: the model is not there, or the version that it should serve. */
static enum store_status update_row(struct store *store, int64_t model,
                                    const struct model_change *change, int64_t now)
{
    struct query query = query_begin(
        store,
        "UPDATE models SET description = ifnull(?1, description), "
        "labels = iif(?2, NULL, ifnull(?3, labels)), version = ifnull(?4, version), "
        "updated_at = ?5, label_count = iif(?2, 0, ifnull(?7, label_count)) WHERE sequence = "
        "?6 AND (?4 IS NULL OR EXISTS (SELECT 1 FROM versions WHERE model = ?6 AND version = "
        "?4)) RETURNING 1");
    query_text(&query, change->description);
    query_integer(&query, change->remove_labels);
    query_text(&query, change->labels);
    query_integer_or_null(&query, change->version);
    query_integer(&query, now);
    query_integer(&query, model);
    query_integer_or_null(&query, (int64_t)change->label_count);
    return query_exists(&query);
}

enum store_status store_model_update(struct store *store, int64_t model,
                                     const struct model_change *change, int64_t now)
{
    const bool changes_labels = change->labels != NULL || change->remove_labels;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK && changes_labels)
        status = check_names(store, model);
    if (status == STORE_OK)
        status = update_row(store, model, change, now);
    if (status == STORE_OK && changes_labels)
        status = update_checksums(store, model);
    return query_transaction_end(store, status);
}

enum store_status store_model_serves(struct store *store, int64_t model, int64_t version)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM models WHERE sequence = ? AND version = ?");
    query_integer(&query, model);
    query_integer(&query, version);
    return query_exists(&query);
}

static enum store_status check_unused(struct store *store, const char *id)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM models m JOIN runs r ON r.model = m.sequence "
                           "WHERE m.id = ? AND r.state IN ('queued', 'running')");
    query_text(&query, id);
    return query_refuse(&query, STORE_IN_USE);
}

static enum store_status delete_row(struct store *store, const char *id, int64_t *ret_sequence)
{
    struct query query = query_begin(store, "DELETE FROM models WHERE id = ? RETURNING sequence");
    query_text(&query, id);
    return query_number(&query, ret_sequence);
}

enum store_status store_model_delete(struct store *store, const char *id)
{
    int64_t model;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = check_unused(store, id);
    if (status == STORE_OK)
        status = delete_row(store, id, &model);
    if (status == STORE_OK)
        status = store_version_abandon(store, model);
    return query_transaction_end(store, status);
}
