#include "server/store/arrays.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/store/query.h"

enum store_status store_array_begin(struct store *store, const struct array_record *array,
                                    int64_t *ret_array)
{
    struct query query = query_begin(store, "INSERT INTO arrays (dtype, count, features, bytes) "
                                            "VALUES (?, 0, ?, 0) RETURNING id");
    query_text(&query, dtype_name(array->dtype));
    query_integer(&query, (int64_t)array->features);
    return query_number(&query, ret_array);
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
        query_begin(store, "UPDATE arrays SET count = ?, bytes = ?, sha256 = ? WHERE id = ?");
    query_integer(&query, (int64_t)array->count);
    query_integer(&query, (int64_t)array->bytes);
    query_text(&query, array->sha256);
    query_integer(&query, array->id);
    return query_run(&query);
}

enum store_status store_array_delete(struct store *store, int64_t array)
{
    struct query query = query_begin(store, "DELETE FROM arrays WHERE id = ?");
    query_integer(&query, array);
    return query_run(&query);
}

enum store_status store_array_prune(struct store *store)
{
    struct query query = query_begin(
        store,
        "DELETE FROM arrays WHERE NOT EXISTS (SELECT 1 FROM datasets d WHERE d.x = arrays.id)"
        " AND NOT EXISTS (SELECT 1 FROM datasets d WHERE d.label = arrays.id)");
    return query_run(&query);
}

/* Copies the chunks one after the other, and adds them to the checksum. */
static enum store_status copy_chunks(struct store *store, int64_t array, size_t bytes, char *out,
                                     struct checksum *checksum)
{
    enum { DATA };
    size_t done = 0;
    enum store_status status;
    struct query query =
        query_begin(store, "SELECT data FROM chunks WHERE array = ? ORDER BY position");
    query_integer(&query, array);
    while ((status = query_next(&query)) == STORE_OK) {
        size_t size;
        const void *data = query_column_bytes(&query, DATA, &size);
        if (data == NULL || size > bytes - done) {
            query_end(&query);
            return STORE_CORRUPT;
        }
        memcpy(out + done, data, size);
        checksum_add(checksum, data, size);
        done += size;
    }
    if (status != STORE_NOT_FOUND)
        return status;
    return done == bytes ? STORE_OK : STORE_CORRUPT;
}

enum store_status store_array_load(struct store *store, const struct array_record *array,
                                   void **ret_values)
{
    char actual[CHECKSUM_TEXT];
    struct checksum checksum;
    char *values = malloc(array->bytes);
    if (values == NULL)
        return STORE_NO_MEMORY;
    checksum_init(&checksum);
    enum store_status status = copy_chunks(store, array->id, array->bytes, values, &checksum);
    checksum_finish(&checksum, actual);
    if (status == STORE_OK && strcmp(actual, array->sha256) != 0)
        status = STORE_CORRUPT;
    if (status == STORE_OK)
        *ret_values = values;
    else
        free(values);
    return status;
}
