#include "server/store/datasets.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/base/timestamp.h"
#include "server/store/query.h"

void dataset_record_finish(struct dataset_record *record)
{
    free(record->names);
    *record = (struct dataset_record){0};
}

/* --- showing --- */

static enum store_status read_dtype(sqlite3_stmt *row, int column, void *ret_dtype)
{
    const char *name = (const char *)sqlite3_column_text(row, column);
    if (sqlite3_column_type(row, column) == SQLITE_NULL)
        return STORE_OK;
    if (name == NULL)
        return STORE_NO_MEMORY;
    return dtype_find(name, ret_dtype) ? STORE_OK : STORE_CORRUPT;
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

static bool array_holds(const struct array_record *array)
{
    size_t bytes;
    return array->id == 0 || (array->features > 0 && array->sha256[0] != '\0' &&
                              !__builtin_mul_overflow(array->count, array->features, &bytes) &&
                              !__builtin_mul_overflow(bytes, dtype_size(array->dtype), &bytes) &&
                              bytes == array->bytes);
}

static bool dataset_holds(const void *dataset)
{
    char sha256[CHECKSUM_TEXT];
    const struct dataset_record *record = dataset;
    const bool has_both = record->x.id != 0 && record->label.id != 0;
    checksum_of(record, sha256);
    return array_holds(&record->x) && array_holds(&record->label) &&
           (record->label.id == 0 || record->label.features == 1) &&
           (!has_both || record->x.count == record->label.count) &&
           strcmp(sha256, record->sha256) == 0;
}

static void finish_dataset(void *record)
{
    dataset_record_finish(record);
}

#define COLUMN(sql, ...) QUERY_COLUMN(sql, dataset_record, __VA_ARGS__)
#define ARRAY_COLUMNS(table, array)                                                                \
    COLUMN(table ".id", array.id),                                                                 \
        {table ".dtype", .offset = offsetof(struct dataset_record, array.dtype),                   \
         .read = read_dtype},                                                                      \
        COLUMN(table ".count", array.count), COLUMN(table ".features", array.features),            \
        COLUMN(table ".bytes", array.bytes), COLUMN(table ".sha256", array.sha256),                \
        QUERY_HOLDS("d." #array " IS " table ".id AND (d." #array " IS NULL OR " table             \
                    ".row_sha256 IS sha256(" table ".dtype, " table ".count, " table               \
                    ".features, " table ".bytes, " table ".sha256))")
#define SHORT_COLUMNS                                                                              \
    COLUMN("d.sequence", sequence), COLUMN("d.id", id),                                            \
        COLUMN("d.classes", classes, .max = LIMIT_OUT_FEATURES), COLUMN("d.sha256", sha256),       \
        COLUMN("d.created_at", created_at, .max = TIMESTAMP_MAX),                                  \
        COLUMN("d.updated_at", updated_at, .max = TIMESTAMP_MAX), ARRAY_COLUMNS("x", x),           \
        ARRAY_COLUMNS("l", label)
static const struct query_column dataset_columns[] = {
    SHORT_COLUMNS,
    COLUMN("d.names", names),
    QUERY_HOLDS("d.row_sha256 IS sha256(d.id, d.x, d.label, d.classes, d.names, d.sha256)"),
    {0},
};
static const struct query_record datasets = {.size = sizeof(struct dataset_record),
                                             .finish = finish_dataset,
                                             .columns = dataset_columns,
                                             .holds = dataset_holds};

#define AS_TEXT(number)    #number
#define LISTED_TEXT(limit) AS_TEXT(limit)
#define FEW_CLASSES        "d.classes <= " LISTED_TEXT(LIMIT_LISTED)
static const struct query_column summary_columns[] = {
    SHORT_COLUMNS,
    COLUMN("iif(" FEW_CLASSES ", d.names, NULL)", names),
    COLUMN("NOT " FEW_CLASSES " AND d.names IS NOT NULL", is_abridged),
    QUERY_HOLDS("d.listed_sha256 IS sha256(d.id, d.x, d.label, d.classes, "
                "iif(" FEW_CLASSES ", d.names, NULL), d.sha256)"),
    {0},
};
static const struct query_record summaries = {sizeof(struct dataset_record), finish_dataset,
                                              summary_columns, dataset_holds, true};

#define FROM_DATASETS                                                                              \
    "FROM datasets d LEFT JOIN arrays x ON x.id = d.x LEFT JOIN arrays l ON l.id = d.label "

enum store_status store_dataset_find(struct store *store, const char *id,
                                     struct dataset_record *ret_record)
{
    struct query query = query_select(store, &datasets, FROM_DATASETS "WHERE d.id = ?");
    query_text(&query, id);
    return query_row(&query, ret_record);
}

enum store_status store_dataset_of_run(struct store *store, int64_t run, bool validation,
                                       struct dataset_record *ret_record)
{
    struct query query = query_select(
        store, &datasets,
        FROM_DATASETS "JOIN runs r ON d.sequence = iif(?, r.validation_dataset, r.dataset)"
                      " WHERE r.id = ?");
    query_integer(&query, validation);
    query_integer(&query, run);
    return query_row(&query, ret_record);
}

enum store_status store_dataset_list(struct store *store, int64_t before, size_t limit,
                                     struct dataset_record *records, size_t *ret_count)
{
    struct query query = query_select(store, &summaries,
                                      FROM_DATASETS "WHERE d.sequence < ? "
                                                    "ORDER BY d.sequence DESC LIMIT ?");
    query_page(&query, before, limit);
    return query_rows(&query, records, ret_count);
}

/* --- changing --- */

static enum store_status check_unused(struct store *store, int64_t dataset)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM runs WHERE (dataset = ?1 OR validation_dataset = ?1) AND "
                           "state IN ('queued', 'running')");
    query_integer(&query, dataset);
    return query_refuse(&query, STORE_IN_USE);
}

static enum store_status write_dataset(struct store *store, const char *id,
                                       const struct dataset_record *record, const char *names,
                                       int64_t now)
{
    char sha256[CHECKSUM_TEXT];
    checksum_of(record, sha256);
    struct query query = query_begin(
        store,
        "INSERT INTO datasets (id, x, label, classes, names, sha256, created_at, updated_at, "
        "row_sha256, listed_sha256) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, sha256(?1, ?2, ?3, ?4, "
        "?5, ?6), sha256(?1, ?2, ?3, ?4, iif(?4 <= " LISTED_TEXT(
            LIMIT_LISTED) ", ?5, NULL), ?6)) "
                          "ON CONFLICT (id) DO UPDATE SET x = ?2, label = ?3, classes = ?4, names "
                          "= ?5, "
                          "sha256 = ?6, updated_at = ?7, row_sha256 = excluded.row_sha256, "
                          "listed_sha256 = excluded.listed_sha256");
    query_text(&query, id);
    query_integer_or_null(&query, record->x.id);
    query_integer_or_null(&query, record->label.id);
    query_integer_or_null(&query, (int64_t)record->classes);
    query_text(&query, names);
    query_text_or_null(&query, sha256);
    query_integer(&query, now);
    return query_run(&query);
}

/* The dataset as it will be, with these names (borrowed): what is put replaces what was there. */
static void merge(const struct dataset_change *change, struct dataset_record *record,
                  const char **names)
{
    *names = record->names;
    if (change->x != NULL)
        record->x = *change->x;
    if (change->label == NULL && !change->replaces)
        return;
    record->label = change->label != NULL ? *change->label : (struct array_record){0};
    record->classes = change->classes;
    *names = change->names;
}

static enum store_status put(struct store *store, const char *id,
                             const struct dataset_change *change, int64_t now,
                             struct dataset_record *record)
{
    enum store_status status = store_dataset_find(store, id, record);
    if (status == STORE_OK)
        status = check_unused(store, record->sequence);
    else if (status == STORE_NOT_FOUND)
        status = STORE_OK;
    if (status != STORE_OK)
        return status;
    const char *names;
    merge(change, record, &names);
    if (record->x.id != 0 && record->label.id != 0 && record->x.count != record->label.count)
        return STORE_MISMATCH;
    if (change->x != NULL)
        status = store_array_end(store, change->x);
    if (status == STORE_OK && change->label != NULL)
        status = store_array_end(store, change->label);
    return status == STORE_OK ? write_dataset(store, id, record, names, now) : status;
}

enum store_status store_dataset_put(struct store *store, const char *id,
                                    const struct dataset_change *change, int64_t now,
                                    bool *ret_created)
{
    struct dataset_record record = {0};
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = put(store, id, change, now, &record);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_created = record.sequence == 0;
    dataset_record_finish(&record);
    return status;
}

static enum store_status delete_row(struct store *store, int64_t dataset)
{
    struct query query = query_begin(store, "DELETE FROM datasets WHERE sequence = ?");
    query_integer(&query, dataset);
    return query_run(&query);
}

/* It may be damaged. */
static enum store_status find_sequence(struct store *store, const char *id, int64_t *ret_sequence)
{
    struct query query = query_begin(store, "SELECT sequence FROM datasets WHERE id = ?");
    query_text(&query, id);
    return query_number(&query, ret_sequence);
}

enum store_status store_dataset_delete(struct store *store, const char *id)
{
    int64_t sequence;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = find_sequence(store, id, &sequence);
    if (status == STORE_OK)
        status = check_unused(store, sequence);
    if (status == STORE_OK)
        status = delete_row(store, sequence);
    return query_transaction_end(store, status);
}
