#include "server/store/versions.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/timestamp.h"
#include "server/store/query.h"

static void finish_tensor(void *tensor)
{
    free((void *)((struct tensor *)tensor)->values);
}

void tensors_finish(struct tensors *tensors)
{
    for (size_t i = 0; i < tensors->count; i++)
        finish_tensor(&tensors->items[i]);
    *tensors = (struct tensors){0};
}

const struct tensor *tensors_find(const struct tensors *tensors, const char *name)
{
    for (size_t i = 0; i < tensors->count; i++)
        if (strcmp(tensors->items[i].name, name) == 0)
            return &tensors->items[i];
    return NULL;
}

struct sealed_tensors tensors_seal(const struct tensor *tensors, size_t count)
{
    struct sealed_tensors sealed = {.items = tensors, .count = count};
    struct checksum checksum;
    checksum_init(&checksum);
    for (size_t i = 0; i < count; i++)
        checksum_add(&checksum, tensors[i].values,
                     tensors[i].rows * tensors[i].columns * sizeof(float));
    checksum_finish(&checksum, sealed.sha256);
    return sealed;
}

/* --- publishing --- */

static enum store_status insert_version(struct store *store, int64_t model, int64_t run,
                                        int64_t epoch, const char *sha256, int64_t now,
                                        int64_t *ret_version)
{
    struct query query = query_begin(
        store,
        "INSERT INTO versions (model, version, run, epoch, sha256, created_at) SELECT sequence, "
        "(SELECT ifnull(max(version), 0) + 1 FROM versions WHERE model = ?1), ?2, ?3, ?4, "
        "?5 "
        "FROM models WHERE sequence = ?1 RETURNING version");
    query_integer(&query, model);
    query_integer_or_null(&query, run);
    query_integer_or_null(&query, epoch);
    query_text(&query, sha256);
    query_integer(&query, now);
    return query_number(&query, ret_version);
}

static enum store_status insert_tensor(struct store *store, int64_t model, int64_t version,
                                       size_t position, const struct tensor *tensor)
{
    struct query query =
        query_begin(store, "INSERT INTO tensors (model, version, position, name, rows, columns, "
                           "data) VALUES (?, ?, ?, ?, ?, ?, ?)");
    query_integer(&query, model);
    query_integer(&query, version);
    query_integer(&query, (int64_t)position);
    query_text(&query, tensor->name);
    query_integer(&query, (int64_t)tensor->rows);
    query_integer(&query, (int64_t)tensor->columns);
    query_blob(&query, tensor->values, tensor->rows * tensor->columns * sizeof(float));
    return query_run(&query);
}

static enum store_status serve(struct store *store, int64_t model, int64_t version, int64_t now)
{
    struct query query =
        query_begin(store, "UPDATE models SET version = ?, updated_at = ? WHERE sequence = ?");
    query_integer(&query, version);
    query_integer(&query, now);
    query_integer(&query, model);
    return query_run(&query);
}

static enum store_status insert_whole(struct store *store, int64_t model, int64_t run,
                                      int64_t epoch, const struct sealed_tensors *tensors,
                                      int64_t now, int64_t *ret_version)
{
    enum store_status status =
        insert_version(store, model, run, epoch, tensors->sha256, now, ret_version);
    for (size_t i = 0; status == STORE_OK && i < tensors->count; i++)
        status = insert_tensor(store, model, *ret_version, i, &tensors->items[i]);
    return status;
}

enum store_status store_version_note_drawn(struct store *store, int64_t model,
                                           const struct sealed_tensors *tensors, int64_t now)
{
    int64_t version;
    enum store_status status = insert_version(store, model, 0, 0, tensors->sha256, now, &version);
    if (status != STORE_OK)
        return status;
    struct query query =
        query_begin(store, "UPDATE versions SET drawn = 1 WHERE model = ? AND version = ?");
    query_integer(&query, model);
    query_integer(&query, version);
    return query_run(&query);
}

enum store_status store_version_publish(struct store *store, int64_t model, int64_t run,
                                        const struct sealed_tensors *tensors, int64_t now,
                                        int64_t *ret_version)
{
    int64_t version;
    enum store_status status = insert_whole(store, model, run, 0, tensors, now, &version);
    if (status == STORE_OK)
        status = serve(store, model, version, now);
    if (status == STORE_OK)
        *ret_version = version;
    return status;
}

static enum store_status find_kept(struct store *store, int64_t run, int64_t epoch)
{
    struct query query = query_begin(store, "SELECT 1 FROM versions WHERE run = ? AND epoch = ?");
    query_integer(&query, run);
    query_integer(&query, epoch);
    return query_exists(&query);
}

enum store_status store_version_keep(struct store *store, int64_t model, int64_t run, int64_t epoch,
                                     const struct sealed_tensors *tensors, int64_t now)
{
    int64_t version;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK) {
        const enum store_status found = find_kept(store, run, epoch);
        status = found == STORE_NOT_FOUND
                     ? insert_whole(store, model, run, epoch, tensors, now, &version)
                     : found;
    }
    return query_transaction_end(store, status);
}

enum store_status store_version_insert(struct store *store, int64_t model,
                                       const struct sealed_tensors *tensors, int64_t now,
                                       int64_t *ret_version)
{
    int64_t version = 0;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = store_version_publish(store, model, 0, tensors, now, &version);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_version = version;
    return status;
}

/* --- listing --- */

#define VERSION_COLUMN(sql, ...) QUERY_COLUMN(sql, version_record, __VA_ARGS__)
static const struct query_column version_columns[] = {
    VERSION_COLUMN("v.version", version),
    VERSION_COLUMN("v.run", run),
    VERSION_COLUMN("v.epoch", epoch),
    VERSION_COLUMN("v.drawn", is_drawn),
    VERSION_COLUMN("v.sha256", sha256),
    VERSION_COLUMN("v.created_at", created_at, .max = TIMESTAMP_MAX),
    {0},
};
static const struct query_record versions = {sizeof(struct version_record), NULL, version_columns,
                                             .lists_damaged = true};

/* A model without any such version is one row of NULLs. */
enum store_status store_version_list(struct store *store, const char *model, int64_t before,
                                     size_t limit, struct version_record *records,
                                     size_t *ret_count)
{
    struct query query =
        query_select(store, &versions,
                     "FROM models m LEFT JOIN versions v ON v.model = m.sequence AND "
                     "v.version < ?2 WHERE m.id = ?1 ORDER BY v.version DESC LIMIT ?3");
    query_text(&query, model);
    query_page(&query, before, limit);
    return query_rows_of(&query, records, ret_count);
}

/* --- loading --- */

static enum store_status read_values(sqlite3_stmt *row, int column, void *ret_tensor)
{
    struct tensor *tensor = ret_tensor;
    return query_copy_numbers(row, column, tensor->rows, tensor->columns, &tensor->values);
}

#define TENSOR_COLUMN(sql, ...) QUERY_COLUMN(sql, tensor, __VA_ARGS__)
static const struct query_column tensor_columns[] = {
    TENSOR_COLUMN("name", name),
    TENSOR_COLUMN("rows", rows, .min = 1),
    TENSOR_COLUMN("columns", columns, .min = 1),
    {"data", .read = read_values},
    {0},
};
static const struct query_record tensor_rows = {
    .size = sizeof(struct tensor), .finish = finish_tensor, .columns = tensor_columns};

enum store_status store_version_peek(struct store *store, int64_t model, int64_t version,
                                     const char *prefix, struct tensors *ret_tensors)
{
    struct tensors tensors;
    struct query query = query_select(store, &tensor_rows,
                                      "FROM tensors WHERE model = ? AND version = ? AND "
                                      "instr(name, ?) = 1 ORDER BY position LIMIT ?");
    query_integer(&query, model);
    query_integer(&query, version);
    query_text(&query, prefix);
    query_integer(&query, TENSORS);
    const enum store_status status = query_rows_of(&query, tensors.items, &tensors.count);
    if (status == STORE_OK)
        *ret_tensors = tensors;
    return status;
}

enum store_status store_version_columns(struct store *store, int64_t model, int64_t version,
                                        const char *name, size_t *ret_columns)
{
    int64_t columns;
    struct query query = query_begin(
        store, "SELECT columns FROM tensors WHERE model = ? AND version = ? AND name = ?");
    query_integer(&query, model);
    query_integer(&query, version);
    query_text(&query, name);
    const enum store_status status = query_number(&query, &columns);
    if (status == STORE_OK)
        *ret_columns = (size_t)columns;
    return status;
}

static enum store_status find_version(struct store *store, int64_t model, int64_t version,
                                      struct version_record *ret_record)
{
    struct query query =
        query_select(store, &versions, "FROM versions v WHERE v.model = ? AND v.version = ?");
    query_integer(&query, model);
    query_integer(&query, version);
    return query_row(&query, ret_record);
}

static enum store_status compare(const struct version_record *record,
                                 const struct sealed_tensors *tensors)
{
    return strcmp(tensors->sha256, record->sha256) == 0 ? STORE_OK : STORE_CORRUPT;
}

enum store_status store_version_load(struct store *store, int64_t model, int64_t version,
                                     struct tensors *ret_tensors)
{
    struct version_record record;
    struct tensors tensors = {0};
    enum store_status status = find_version(store, model, version, &record);
    if (status == STORE_OK && !record.is_drawn) {
        status = store_version_peek(store, model, version, "", &tensors);
        if (status == STORE_NOT_FOUND)
            status = STORE_CORRUPT;
    }
    if (status == STORE_OK && !record.is_drawn) {
        const struct sealed_tensors found = tensors_seal(tensors.items, tensors.count);
        status = compare(&record, &found);
    }
    if (status == STORE_OK)
        *ret_tensors = tensors;
    else
        tensors_finish(&tensors);
    return status;
}

enum store_status store_version_verify(struct store *store, int64_t model, int64_t version,
                                       const struct sealed_tensors *tensors)
{
    struct version_record record;
    const enum store_status status = find_version(store, model, version, &record);
    return status == STORE_OK ? compare(&record, tensors) : status;
}

/* --- deleting --- */

enum store_status store_version_abandon(struct store *store, int64_t model)
{
    struct query query =
        query_begin(store, "INSERT OR IGNORE INTO removed_models (model) VALUES (?)");
    query_integer(&query, model);
    return query_run(&query);
}

/* Damage may have put down the number of a model that is there. */
static enum store_status find_abandoned(struct store *store, int64_t *ret_model)
{
    struct query query =
        query_begin(store, "SELECT model FROM removed_models WHERE NOT EXISTS (SELECT 1 FROM "
                           "models WHERE sequence = model) LIMIT 1");
    return query_number(&query, ret_model);
}

/* As many as have the bytes of a piece, and at least one. */
static enum store_status delete_some(struct store *store, int64_t model)
{
    struct query query = query_begin(
        store,
        "WITH next AS (SELECT version, " QUERY_SWEPT_ROW " + ifnull((SELECT sum(length(data)) FROM "
        "tensors t WHERE t.model = v.model AND t.version = v.version), 0) AS size FROM versions v "
        "WHERE model = ?1 ORDER BY version LIMIT " QUERY_SWEPT_ROWS ") DELETE FROM versions WHERE "
        "model = ?1 AND version IN (SELECT version FROM (SELECT version, sum(size) OVER (ORDER BY "
        "version) - size AS before FROM next) WHERE before < " QUERY_SWEPT_BYTES ")");
    query_integer(&query, model);
    return query_change(&query);
}

static enum store_status forget(struct store *store, int64_t model)
{
    struct query query = query_begin(store, "DELETE FROM removed_models WHERE model = ?");
    query_integer(&query, model);
    return query_change(&query);
}

enum store_status store_version_sweep(struct store *store)
{
    int64_t model;
    enum store_status status = find_abandoned(store, &model);
    if (status != STORE_OK)
        return status;
    status = delete_some(store, model);
    return status == STORE_NOT_FOUND ? forget(store, model) : status;
}
