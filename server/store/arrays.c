#include "server/store/arrays.h"

#include <string.h>

#include "server/store/query.h"

/* A damaged database may have chunks of an array that is gone, whose number is given again. */
static enum store_status delete_strays(struct store *store, int64_t array)
{
    struct query query = query_begin(store, "DELETE FROM chunks WHERE array = ?");
    query_integer(&query, array);
    return query_run(&query);
}

enum { SWEPT_CHUNKS = 4 /* that one transaction deletes: a few milliseconds */ };

enum store_status store_array_begin(struct store *store, const struct array_record *array,
                                    int64_t *ret_array)
{
    struct query query = query_begin(store, "INSERT INTO arrays (dtype, count, features, bytes) "
                                            "VALUES (?, 0, ?, 0) RETURNING id");
    query_text(&query, dtype_name(array->dtype));
    query_integer(&query, (int64_t)array->features);
    int64_t id = 0;
    enum store_status status = query_number(&query, &id);
    if (status == STORE_OK)
        status = delete_strays(store, id);
    if (status == STORE_OK)
        *ret_array = id; /* else its row is of nothing, and is swept */
    return status;
}

enum store_status store_array_append(struct store *store, int64_t array, size_t position,
                                     const void *data, size_t bytes)
{
    struct query query =
        query_begin(store, "INSERT INTO chunks (array, position, data) VALUES (?, ?, ?)");
    query_integer(&query, array);
    query_integer(&query, (int64_t)position);
    query_blob(&query, data, bytes);
    return query_run(&query);
}

enum store_status store_array_end(struct store *store, const struct array_record *array)
{
    struct query query =
        query_begin(store, "UPDATE arrays SET count = ?1, bytes = ?2, sha256 = ?3, row_sha256 = "
                           "sha256(dtype, ?1, features, ?2, ?3) WHERE id = ?4");
    query_integer(&query, (int64_t)array->count);
    query_integer(&query, (int64_t)array->bytes);
    query_text(&query, array->sha256);
    query_integer(&query, array->id);
    return query_run(&query);
}

#define OF_NOTHING                                                                                 \
    "NOT EXISTS (SELECT 1 FROM datasets d WHERE d.x = arrays.id) AND "                             \
    "NOT EXISTS (SELECT 1 FROM datasets d WHERE d.label = arrays.id) AND "                         \
    "NOT EXISTS (SELECT 1 FROM checkpoints c WHERE c.array = arrays.id)"

static enum store_status delete_chunks(struct store *store, int64_t array)
{
    struct query query = query_begin(store, "DELETE FROM chunks WHERE rowid IN (SELECT rowid FROM "
                                            "chunks WHERE array = ? LIMIT ?)");
    query_integer(&query, array);
    query_integer(&query, SWEPT_CHUNKS);
    return query_run(&query);
}

static enum store_status delete_if_empty(struct store *store, int64_t array)
{
    struct query query = query_begin(store, "DELETE FROM arrays WHERE id = ?1 AND NOT EXISTS "
                                            "(SELECT 1 FROM chunks WHERE array = ?1)");
    query_integer(&query, array);
    return query_run(&query);
}

enum store_status store_array_sweep(struct store *store)
{
    int64_t array;
    struct query query = query_begin(store, "SELECT id FROM arrays WHERE " OF_NOTHING " LIMIT 1");
    enum store_status status = query_number(&query, &array);
    if (status != STORE_OK)
        return status;
    status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = delete_chunks(store, array);
    if (status == STORE_OK)
        status = delete_if_empty(store, array);
    return query_transaction_end(store, status);
}

enum store_status store_array_scan(struct store *store, const struct array_record *array,
                                   bool (*each)(void *context, const void *data, size_t bytes),
                                   void *context)
{
    enum store_status status;
    struct query query =
        query_begin(store, "SELECT data FROM chunks WHERE array = ? ORDER BY position");
    query_integer(&query, array->id);
    while ((status = query_next(&query)) == STORE_OK) {
        const void *data = sqlite3_column_blob(query.statement, 0);
        const size_t size = (size_t)sqlite3_column_bytes(query.statement, 0);
        if (data == NULL || !each(context, data, size)) {
            query_end(&query);
            return data != NULL                                 ? STORE_OK
                   : sqlite3_errcode(store->db) == SQLITE_NOMEM ? STORE_NO_MEMORY
                                                                : STORE_CORRUPT;
        }
    }
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

static bool add_to_buffer(struct buffer *buffer, const void *data, size_t bytes)
{
    buffer->size = 0;
    buffer_add(buffer, data, bytes);
    return !buffer->failed;
}

enum store_status store_array_chunk(struct store *store, int64_t array, size_t position,
                                    struct buffer *buffer)
{
    struct query query =
        query_begin(store, "SELECT data FROM chunks WHERE array = ? AND position = ?");
    query_integer(&query, array);
    query_integer(&query, (int64_t)position);
    const enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    const void *data = sqlite3_column_blob(query.statement, 0);
    const bool added =
        add_to_buffer(buffer, data, (size_t)sqlite3_column_bytes(query.statement, 0));
    query_end(&query);
    return added ? STORE_OK : STORE_NO_MEMORY;
}

struct reading {
    size_t left; /* bytes that are still to come */
    bool fits;   /* no more came than there should be */
    struct checksum checksum;
    bool (*each)(void *context, const void *data, size_t bytes);
    void *context;
};

static bool read_chunk(void *context, const void *data, size_t bytes)
{
    struct reading *reading = context;
    reading->fits = bytes <= reading->left;
    if (!reading->fits)
        return false;
    reading->left -= bytes;
    checksum_add(&reading->checksum, data, bytes);
    return reading->each(reading->context, data, bytes);
}

enum store_status store_array_read(struct store *store, const struct array_record *array,
                                   bool (*each)(void *context, const void *data, size_t bytes),
                                   void *context)
{
    char actual[CHECKSUM_TEXT];
    struct reading reading = {.left = array->bytes, .fits = true, .each = each, .context = context};
    checksum_init(&reading.checksum);
    const enum store_status status = store_array_scan(store, array, read_chunk, &reading);
    checksum_finish(&reading.checksum, actual);
    if (status != STORE_OK)
        return status;
    return reading.fits && reading.left == 0 && strcmp(actual, array->sha256) == 0 ? STORE_OK
                                                                                   : STORE_CORRUPT;
}

static bool add_chunk(void *values, const void *data, size_t bytes)
{
    buffer_add(values, data, bytes);
    return true;
}

enum store_status store_array_load(struct store *store, const struct array_record *array,
                                   void **ret_values)
{
    struct buffer values = {0};
    if (!buffer_resize(&values, array->bytes))
        return STORE_NO_MEMORY;
    const enum store_status status = store_array_read(store, array, add_chunk, &values);
    if (status == STORE_OK)
        *ret_values = buffer_take(&values);
    else
        buffer_finish(&values);
    return status;
}
