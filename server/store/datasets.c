/* Datasets. An array is written chunk by chunk, each in a transaction of its own, so that a large
 * upload holds the writer for moments; it belongs to a dataset from the last one on, and what broke
 * off before is pruned at the next start. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/store/query.h"

/* --- arrays --- */

enum store_status store_array_begin(struct store *store, const struct array_record *array,
                                    int64_t *ret_array)
{
    struct query query = query_begin(
        store, "INSERT INTO arrays (dtype, count, features, bytes) VALUES (?, 0, ?, 0)");
    query_text(&query, dtype_name(array->dtype));
    query_integer(&query, (int64_t)array->features);
    const enum store_status status = query_run(&query);
    if (status == STORE_OK)
        *ret_array = sqlite3_last_insert_rowid(store->db);
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

static enum store_status delete_array(struct store *store, int64_t array)
{
    struct query query = query_begin(store, "DELETE FROM arrays WHERE id = ?");
    query_integer(&query, array);
    return query_run(&query);
}

enum store_status store_array_abandon(struct store *store, int64_t array)
{
    return delete_array(store, array);
}

enum store_status store_arrays_prune(struct store *store)
{
    struct query query = query_begin(
        store,
        "DELETE FROM arrays WHERE NOT EXISTS (SELECT 1 FROM datasets d WHERE d.x = arrays.id)"
        " AND NOT EXISTS (SELECT 1 FROM datasets d WHERE d.label = arrays.id)");
    return query_run(&query);
}

static enum store_status end_array(struct store *store, int64_t array,
                                   const struct array_record *record)
{
    struct query query =
        query_begin(store, "UPDATE arrays SET count = ?, bytes = ?, sha256 = ? WHERE id = ?");
    query_integer(&query, (int64_t)record->count);
    query_integer(&query, (int64_t)record->bytes);
    query_text(&query, record->sha256);
    query_integer(&query, array);
    return query_run(&query);
}

/* Copies the chunks one behind the other, and adds them to the checksum. */
static enum store_status copy_chunks(struct store *store, int64_t array, size_t bytes, char *out,
                                     struct checksum *checksum)
{
    size_t done = 0;
    enum store_status status;
    struct query query =
        query_begin(store, "SELECT data FROM chunks WHERE array = ? ORDER BY position");
    query_integer(&query, array);
    while ((status = query_next(&query)) == STORE_OK) {
        size_t size;
        const void *data = query_column_bytes(&query, 0, &size);
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

/* --- datasets --- */

void dataset_record_finish(struct dataset_record *record)
{
    free(record->names);
    *record = (struct dataset_record){0};
}

#define DATASET_COLUMNS                                                                            \
    "SELECT d.sequence, d.id, d.classes, d.names, d.sha256, d.created_at, d.updated_at, "          \
    "x.id, x.dtype, x.count, x.features, x.bytes, x.sha256, "                                      \
    "l.id, l.dtype, l.count, l.features, l.bytes, l.sha256 FROM datasets d "                       \
    "LEFT JOIN arrays x ON x.id = d.x LEFT JOIN arrays l ON l.id = d.label "

static void copy_text(const struct query *query, int column, char *out, size_t size)
{
    const char *text = query_column_text(query, column);
    if (text != NULL)
        snprintf(out, size, "%s", text);
}

static struct array_record read_array(const struct query *query, int column)
{
    struct array_record array = {
        .id = query_column(query, column),
        .count = (size_t)query_column(query, column + 2),
        .features = (size_t)query_column(query, column + 3),
        .bytes = (size_t)query_column(query, column + 4),
    };
    const char *dtype = query_column_text(query, column + 1);
    if (dtype != NULL)
        dtype_find(dtype, &array.dtype);
    copy_text(query, column + 5, array.sha256, sizeof array.sha256);
    return array;
}

static enum store_status read_dataset(const struct query *query, struct dataset_record *ret_record)
{
    bool failed = false;
    struct dataset_record record = {
        .sequence = query_column(query, 0),
        .classes = (size_t)query_column(query, 2),
        .names = query_column_copy(query, 3, &failed),
        .created_at = query_column(query, 5),
        .updated_at = query_column(query, 6),
        .x = read_array(query, 7),
        .label = read_array(query, 13),
    };
    copy_text(query, 1, record.id, sizeof record.id);
    copy_text(query, 4, record.sha256, sizeof record.sha256);
    if (failed)
        return STORE_NO_MEMORY;
    *ret_record = record;
    return STORE_OK;
}

static enum store_status find(struct query *query, struct dataset_record *ret_record)
{
    enum store_status status = query_next(query);
    if (status != STORE_OK)
        return status;
    status = read_dataset(query, ret_record);
    query_end(query);
    return status;
}

enum store_status store_dataset_find(struct store *store, const char *id,
                                     struct dataset_record *ret_record)
{
    struct query query = query_begin(store, DATASET_COLUMNS "WHERE d.id = ?");
    query_text(&query, id);
    return find(&query, ret_record);
}

enum store_status store_dataset_list(struct store *store, int64_t before, size_t limit,
                                     struct dataset_record *records, size_t *ret_count)
{
    size_t count = 0;
    enum store_status status;
    struct query query = query_begin(store, DATASET_COLUMNS "WHERE d.sequence < ? "
                                                            "ORDER BY d.sequence DESC LIMIT ?");
    query_integer(&query, before == 0 ? INT64_MAX : before);
    query_integer(&query, (int64_t)limit);
    while ((status = query_next(&query)) == STORE_OK) {
        status = read_dataset(&query, &records[count]);
        if (status != STORE_OK) {
            query_end(&query);
            break;
        }
        count++;
    }
    if (status != STORE_NOT_FOUND) {
        while (count > 0)
            dataset_record_finish(&records[--count]);
        return status;
    }
    *ret_count = count;
    return STORE_OK;
}

static enum store_status is_used(struct store *store, int64_t dataset)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM runs WHERE (dataset = ?1 OR validation_dataset = ?1) AND "
                           "state IN ('queued', 'running')");
    query_integer(&query, dataset);
    const enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status == STORE_NOT_FOUND ? STORE_OK : status;
    query_end(&query);
    return STORE_IN_USE;
}

/* The checksum of both arrays' checksums; "" while one is missing. */
static void checksum_of(const struct dataset_record *record, char ret_text[CHECKSUM_TEXT])
{
    struct checksum checksum;
    ret_text[0] = '\0';
    if (record->x.id == 0 || record->label.id == 0)
        return;
    checksum_init(&checksum);
    checksum_add(&checksum, record->x.sha256, strlen(record->x.sha256));
    checksum_add(&checksum, record->label.sha256, strlen(record->label.sha256));
    checksum_finish(&checksum, ret_text);
}

static enum store_status write_dataset(struct store *store, const struct dataset_record *record,
                                       int64_t now)
{
    char sha256[CHECKSUM_TEXT];
    checksum_of(record, sha256);
    struct query query = query_begin(
        store,
        "INSERT INTO datasets (id, x, label, classes, names, sha256, created_at, updated_at) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (id) DO UPDATE SET x = ?2, "
        "label = ?3, classes = ?4, names = ?5, sha256 = ?6, updated_at = ?7");
    query_text(&query, record->id);
    query_integer_or_null(&query, record->x.id);
    query_integer_or_null(&query, record->label.id);
    query_integer_or_null(&query, (int64_t)record->classes);
    query_text(&query, record->names);
    query_text(&query, sha256[0] != '\0' ? sha256 : NULL);
    query_integer(&query, now);
    return query_run(&query);
}

/* The dataset as it will be: arrays that were put replace those that were there. */
static enum store_status merge(const struct dataset_change *change, struct dataset_record *record)
{
    if (change->x != NULL)
        record->x = *change->x;
    if (change->label == NULL && change->replaces) {
        free(record->names);
        record->names = NULL;
        record->label = (struct array_record){0};
        record->classes = 0;
    } else if (change->label != NULL) {
        char *names = change->names != NULL ? strdup(change->names) : NULL;
        if (names == NULL && change->names != NULL)
            return STORE_NO_MEMORY;
        free(record->names);
        record->names = names;
        record->label = *change->label;
        record->classes = change->classes;
    }
    const bool has_both = record->x.id != 0 && record->label.id != 0;
    return has_both && record->x.count != record->label.count ? STORE_MISMATCH : STORE_OK;
}

static enum store_status put(struct store *store, const char *id,
                             const struct dataset_change *change, int64_t now,
                             struct dataset_record *record)
{
    enum store_status status = store_dataset_find(store, id, record);
    if (status == STORE_OK)
        status = is_used(store, record->sequence);
    else if (status == STORE_NOT_FOUND)
        status = STORE_OK;
    if (status != STORE_OK)
        return status;
    const int64_t old_x = record->x.id, old_label = record->label.id;
    snprintf(record->id, sizeof record->id, "%s", id);
    status = merge(change, record);
    if (status == STORE_OK && change->x != NULL)
        status = end_array(store, change->x->id, change->x);
    if (status == STORE_OK && change->label != NULL)
        status = end_array(store, change->label->id, change->label);
    if (status == STORE_OK)
        status = write_dataset(store, record, now);
    if (status == STORE_OK && record->x.id != old_x)
        status = delete_array(store, old_x);
    if (status == STORE_OK && record->label.id != old_label)
        status = delete_array(store, old_label);
    return status;
}

enum store_status store_dataset_put(struct store *store, const char *id,
                                    const struct dataset_change *change, int64_t now,
                                    bool *ret_created)
{
    struct dataset_record record = {0};
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = store_end(store, put(store, id, change, now, &record));
    if (status == STORE_OK)
        *ret_created = record.sequence == 0;
    dataset_record_finish(&record);
    return status;
}

static enum store_status delete_dataset(struct store *store, const char *id)
{
    struct dataset_record record;
    enum store_status status = store_dataset_find(store, id, &record);
    if (status != STORE_OK)
        return status;
    status = is_used(store, record.sequence);
    if (status == STORE_OK) {
        struct query query = query_begin(store, "DELETE FROM datasets WHERE sequence = ?");
        query_integer(&query, record.sequence);
        status = query_run(&query);
    }
    if (status == STORE_OK)
        status = delete_array(store, record.x.id);
    if (status == STORE_OK)
        status = delete_array(store, record.label.id);
    dataset_record_finish(&record);
    return status;
}

enum store_status store_dataset_delete(struct store *store, const char *id)
{
    const enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    return store_end(store, delete_dataset(store, id));
}

enum store_status store_run_dataset(struct store *store, int64_t run, bool validation,
                                    struct dataset_record *ret_record)
{
    struct query query = query_begin(
        store, DATASET_COLUMNS "JOIN runs r ON d.sequence = iif(?, r.validation_dataset, r.dataset)"
                               " WHERE r.id = ?");
    query_integer(&query, validation);
    query_integer(&query, run);
    return find(&query, ret_record);
}
