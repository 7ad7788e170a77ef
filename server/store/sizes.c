#include "server/store/sizes.h"

#include "server/store/query.h"

/* A number of a tensor in JSON, roughly. */
enum { NUMBER_TEXT = 10 };

/* NULL has none. */
static size_t bytes_of(struct store *store, const char *table, const char *column, int64_t row)
{
    sqlite3_blob *text;
    if (sqlite3_blob_open(store->db, "main", table, column, row, 0, &text) != SQLITE_OK)
        return 0;
    const int bytes = sqlite3_blob_bytes(text);
    sqlite3_blob_close(text);
    return (size_t)bytes;
}

/* Sums up two columns, of which the second may be NULL, over the rows that the query names. */
static size_t sum(struct store *store, struct query *query, const char *table,
                  const char *const columns[2])
{
    size_t bytes = 0;
    while (query_next(query) == STORE_OK) {
        const int64_t row = sqlite3_column_int64(query->statement, 0);
        for (size_t i = 0; i < 2 && columns[i] != NULL; i++)
            bytes += bytes_of(store, table, columns[i], row);
    }
    return bytes;
}

static const char *const of_model[2] = {"config", "labels"}, *const of_dataset[2] = {"names"};

static size_t size_of_tensors(struct store *store, const char *id, const char *prefix)
{
    int64_t numbers = 0;
    struct query query = query_begin(
        store, "SELECT sum(t.rows * t.columns) FROM models m JOIN tensors t ON t.model = "
               "m.sequence AND t.version = m.version WHERE m.id = ? AND "
               "instr(t.name, ?) = 1");
    query_text(&query, id);
    query_text(&query, prefix);
    query_number(&query, &numbers);
    return (size_t)numbers * NUMBER_TEXT;
}

size_t store_size_of_model(struct store *store, const char *id, const char *prefix, size_t enough)
{
    struct query query = query_begin(store, "SELECT sequence FROM models WHERE id = ?");
    query_text(&query, id);
    const size_t bytes = sum(store, &query, "models", of_model);
    return bytes > enough ? bytes : bytes + size_of_tensors(store, id, prefix);
}

size_t store_size_of_dataset(struct store *store, const char *id)
{
    struct query query = query_begin(store, "SELECT sequence FROM datasets WHERE id = ?");
    query_text(&query, id);
    return sum(store, &query, "datasets", of_dataset);
}

/* Most rows have no long text, and are told from those that may have one without a look at it. */
size_t store_size_of_models(struct store *store, int64_t before, size_t limit)
{
    struct query query =
        query_begin(store, "SELECT sequence FROM (SELECT sequence, typeof(summary) <> 'null' OR "
                           "typeof(labels) <> 'null' AS is_long FROM models WHERE sequence < ? "
                           "ORDER BY sequence DESC LIMIT ?) WHERE is_long");
    query_page(&query, before, limit);
    return sum(store, &query, "models", of_model);
}

size_t store_size_of_datasets(struct store *store, int64_t before, size_t limit)
{
    struct query query = query_begin(
        store, "SELECT sequence FROM (SELECT sequence, typeof(names) <> 'null' AS is_long "
               "FROM datasets WHERE sequence < ? ORDER BY sequence DESC LIMIT ?) WHERE "
               "is_long");
    query_page(&query, before, limit);
    return sum(store, &query, "datasets", of_dataset);
}
