#include <string.h>

#include "server/store/query.h"

enum store_status store_model_sequence(struct store *store, const char *id, int64_t *ret_sequence)
{
    struct query query = query_begin(store, "SELECT sequence FROM models WHERE id = ?");
    query_text(&query, id);
    const enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    *ret_sequence = query_column(&query, 0);
    query_end(&query);
    return STORE_OK;
}

/* Inserts the row alone; its version is published in the same transaction. */
static enum store_status insert_row(struct store *store, const struct model_record *record,
                                    int64_t now)
{
    struct query query =
        query_begin(store, "INSERT INTO models (id, description, config, labels, version, "
                           "created_at, updated_at) VALUES (?, ?, ?, ?, 1, ?, ?)");
    query_text(&query, record->id);
    query_text(&query, record->description);
    query_text(&query, record->config);
    query_text(&query, record->labels);
    query_integer(&query, now);
    query_integer(&query, now);
    return query_run(&query);
}

static enum store_status insert_model(struct store *store, const struct model_record *record,
                                      const struct tensor *tensors, size_t count, int64_t now)
{
    int64_t sequence, version;
    enum store_status status = store_model_sequence(store, record->id, &sequence);
    if (status == STORE_OK)
        return STORE_TAKEN;
    if (status == STORE_NOT_FOUND)
        status = insert_row(store, record, now);
    if (status != STORE_OK)
        return status;
    sequence = sqlite3_last_insert_rowid(store->db);
    return store_version_publish(store, sequence, 0, tensors, count, now, &version);
}

enum store_status store_model_insert(struct store *store, const struct model_record *record,
                                     const struct tensor *tensors, size_t tensor_count, int64_t now)
{
    const enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    return store_end(store, insert_model(store, record, tensors, tensor_count, now));
}

#define MODEL_COLUMNS                                                                              \
    "SELECT sequence, id, description, config, labels, version, created_at, updated_at FROM "      \
    "models "

static enum store_status read_model(const struct query *query, struct model_record *ret_record)
{
    bool failed = false;
    struct model_record record = {
        .sequence = query_column(query, 0),
        .description = query_column_copy(query, 2, &failed),
        .config = query_column_copy(query, 3, &failed),
        .labels = query_column_copy(query, 4, &failed),
        .version = query_column(query, 5),
        .created_at = query_column(query, 6),
        .updated_at = query_column(query, 7),
    };
    const char *id = query_column_text(query, 1);
    if (failed || id == NULL) {
        model_record_finish(&record);
        return STORE_NO_MEMORY;
    }
    strncpy(record.id, id, LIMIT_ID);
    *ret_record = record;
    return STORE_OK;
}

enum store_status store_model_find(struct store *store, const char *id,
                                   struct model_record *ret_record)
{
    struct query query = query_begin(store, MODEL_COLUMNS "WHERE id = ?");
    query_text(&query, id);
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    status = read_model(&query, ret_record);
    query_end(&query);
    return status;
}

enum store_status store_model_list(struct store *store, int64_t before, size_t limit,
                                   struct model_record *records, size_t *ret_count)
{
    struct query query =
        query_begin(store, MODEL_COLUMNS "WHERE sequence < ? ORDER BY sequence DESC LIMIT ?");
    query_integer(&query, before == 0 ? INT64_MAX : before);
    query_integer(&query, (int64_t)limit);
    size_t count = 0;
    enum store_status status;
    while ((status = query_next(&query)) == STORE_OK) {
        status = read_model(&query, &records[count]);
        if (status != STORE_OK) {
            query_end(&query);
            break;
        }
        count++;
    }
    if (status != STORE_NOT_FOUND) {
        while (count > 0)
            model_record_finish(&records[--count]);
        return status;
    }
    *ret_count = count;
    return STORE_OK;
}

enum store_status store_model_exists(struct store *store, int64_t model)
{
    struct query query = query_begin(store, "SELECT 1 FROM models WHERE sequence = ?");
    query_integer(&query, model);
    const enum store_status status = query_next(&query);
    if (status == STORE_OK)
        query_end(&query);
    return status;
}

static enum store_status version_exists(struct store *store, int64_t model, int64_t version)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM versions WHERE model = ? AND version = ?");
    query_integer(&query, model);
    query_integer(&query, version);
    const enum store_status status = query_next(&query);
    if (status == STORE_OK)
        query_end(&query);
    return status;
}

/* A run that waits, or trains, on a dataset whose classes have names looks them up among the
 * model's: they have to stay. */
static enum store_status check_names(struct store *store, int64_t model)
{
    struct query query = query_begin(
        store, "SELECT 1 FROM runs r JOIN datasets d ON d.sequence = r.dataset OR d.sequence = "
               "r.validation_dataset WHERE r.model = ? AND r.state IN ('queued', 'running') AND "
               "d.names IS NOT NULL");
    query_integer(&query, model);
    const enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_OK : status;
    query_end(&query);
    return STORE_IN_USE;
}

static enum store_status update_model(struct store *store, int64_t model,
                                      const struct model_change *change, int64_t now)
{
    enum store_status status = store_model_exists(store, model);
    if (status == STORE_OK && change->version != 0)
        status = version_exists(store, model, change->version);
    if (status == STORE_OK && (change->labels != NULL || change->remove_labels))
        status = check_names(store, model);
    if (status != STORE_OK)
        return status;
    struct query query = query_begin(
        store, "UPDATE models SET description = ifnull(?, description), "
               "labels = iif(?, NULL, ifnull(?, labels)), version = ifnull(?, version), "
               "updated_at = ? WHERE sequence = ?");
    query_text(&query, change->description);
    query_integer(&query, change->remove_labels);
    query_text(&query, change->labels);
    query_integer_or_null(&query, change->version);
    query_integer(&query, now);
    query_integer(&query, model);
    return query_run(&query);
}

enum store_status store_model_update(struct store *store, int64_t model,
                                     const struct model_change *change, int64_t now)
{
    const enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    return store_end(store, update_model(store, model, change, now));
}

static enum store_status has_open_run(struct store *store, int64_t model)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM runs WHERE model = ? AND state IN ('queued', 'running')");
    query_integer(&query, model);
    const enum store_status status = query_next(&query);
    if (status == STORE_OK)
        query_end(&query);
    return status;
}

static enum store_status delete_model(struct store *store, const char *id)
{
    int64_t model;
    enum store_status status = store_model_sequence(store, id, &model);
    if (status != STORE_OK)
        return status;
    status = has_open_run(store, model);
    if (status != STORE_NOT_FOUND)
        return status == STORE_OK ? STORE_IN_USE : status;
    struct query query = query_begin(store, "DELETE FROM models WHERE sequence = ?");
    query_integer(&query, model);
    status = query_run(&query);
    return status == STORE_OK ? store_samples_prune(store) : status;
}

enum store_status store_model_delete(struct store *store, const char *id)
{
    const enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    return store_end(store, delete_model(store, id));
}
