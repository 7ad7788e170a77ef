#include "server/store/versions.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/store/query.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "BLOBs hold little-endian numbers");

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

/* --- publishing --- */

static void checksum_of(const struct tensor *tensors, size_t count, char ret_text[CHECKSUM_TEXT])
{
    struct checksum checksum;
    checksum_init(&checksum);
    for (size_t i = 0; i < count; i++)
        checksum_add(&checksum, tensors[i].values,
                     tensors[i].rows * tensors[i].columns * sizeof(float));
    checksum_finish(&checksum, ret_text);
}

static enum store_status insert_version(struct store *store, int64_t model, int64_t run,
                                        const char *sha256, int64_t now, int64_t *ret_version)
{
    struct query query = query_begin(
        store, "INSERT INTO versions (model, version, run, sha256, created_at) SELECT sequence, "
               "(SELECT ifnull(max(version), 0) + 1 FROM versions WHERE model = ?1), ?2, ?3, ?4 "
               "FROM models WHERE sequence = ?1 RETURNING version");
    query_integer(&query, model);
    query_integer_or_null(&query, run);
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

enum store_status store_version_publish(struct store *store, int64_t model, int64_t run,
                                        const struct tensor *tensors, size_t count, int64_t now,
                                        int64_t *ret_version)
{
    char sha256[CHECKSUM_TEXT];
    int64_t version;
    checksum_of(tensors, count, sha256);
    enum store_status status = insert_version(store, model, run, sha256, now, &version);
    for (size_t i = 0; status == STORE_OK && i < count; i++)
        status = insert_tensor(store, model, version, i, &tensors[i]);
    if (status == STORE_OK)
        status = serve(store, model, version, now);
    if (status == STORE_OK)
        *ret_version = version;
    return status;
}

enum store_status store_version_insert(struct store *store, int64_t model,
                                       const struct tensor *tensors, size_t tensor_count,
                                       int64_t now, int64_t *ret_version)
{
    int64_t version = 0;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = store_version_publish(store, model, 0, tensors, tensor_count, now, &version);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_version = version;
    return status;
}

/* --- listing --- */

static enum store_status read_version(struct query *query, void *ret_record)
{
    struct version_record *record = ret_record;
    record->version = query_column(query);
    record->run = query_column(query);
    query_column_string(query, record->sha256, sizeof record->sha256);
    record->created_at = query_column(query);
    return STORE_OK;
}

/* A model without any such version is one row of NULLs. */
enum store_status store_version_list(struct store *store, const char *model, int64_t before,
                                     size_t limit, struct version_record *records,
                                     size_t *ret_count)
{
    static const struct query_record kind = {sizeof *records, read_version, NULL};
    size_t count;
    struct query query = query_begin(
        store, "SELECT v.version, v.run, v.sha256, v.created_at FROM models m LEFT JOIN versions v "
               "ON v.model = m.sequence AND v.version < ?2 WHERE m.id = ?1 "
               "ORDER BY v.version DESC LIMIT ?3");
    query_text(&query, model);
    query_page(&query, before, limit);
    const enum store_status status = query_rows(&query, &kind, records, &count);
    if (status != STORE_OK)
        return status;
    if (count == 0)
        return STORE_NOT_FOUND;
    *ret_count = records[0].version > 0 ? count : 0;
    return STORE_OK;
}

/* --- loading --- */

static enum store_status read_tensor(struct query *query, void *ret_tensor)
{
    struct tensor tensor;
    query_column_string(query, tensor.name, sizeof tensor.name);
    tensor.rows = (size_t)query_column(query);
    tensor.columns = (size_t)query_column(query);
    const enum store_status status =
        query_column_numbers(query, tensor.rows, tensor.columns, &tensor.values);
    if (status == STORE_OK)
        *(struct tensor *)ret_tensor = tensor;
    return status;
}

enum store_status store_version_peek(struct store *store, int64_t model, int64_t version,
                                     const char *prefix, struct tensors *ret_tensors)
{
    static const struct query_record kind = {sizeof(struct tensor), read_tensor, finish_tensor};
    struct tensors tensors;
    struct query query = query_begin(
        store, "SELECT name, rows, columns, data FROM tensors WHERE model = ? AND version = ? AND "
               "instr(name, ?) = 1 ORDER BY position LIMIT ?");
    query_integer(&query, model);
    query_integer(&query, version);
    query_text(&query, prefix);
    query_integer(&query, TENSORS);
    const enum store_status status = query_rows(&query, &kind, tensors.items, &tensors.count);
    if (status != STORE_OK)
        return status;
    if (tensors.count == 0)
        return STORE_NOT_FOUND;
    *ret_tensors = tensors;
    return STORE_OK;
}

static enum store_status find_checksum(struct store *store, int64_t model, int64_t version,
                                       char ret_sha256[CHECKSUM_TEXT])
{
    struct query query =
        query_begin(store, "SELECT sha256 FROM versions WHERE model = ? AND version = ?");
    query_integer(&query, model);
    query_integer(&query, version);
    const enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    query_column_string(&query, ret_sha256, CHECKSUM_TEXT);
    return query_end(&query);
}

enum store_status store_version_load(struct store *store, int64_t model, int64_t version,
                                     struct tensors *ret_tensors)
{
    char expected[CHECKSUM_TEXT], actual[CHECKSUM_TEXT];
    struct tensors tensors;
    enum store_status status = find_checksum(store, model, version, expected);
    if (status == STORE_OK)
        status = store_version_peek(store, model, version, "", &tensors);
    if (status != STORE_OK)
        return status;
    checksum_of(tensors.items, tensors.count, actual);
    if (strcmp(actual, expected) != 0) {
        tensors_finish(&tensors);
        return STORE_CORRUPT;
    }
    *ret_tensors = tensors;
    return STORE_OK;
}
