#include "server/store/checkpoints.h"

#include "server/store/query.h"

static const struct array_record of_bytes = {.dtype = DTYPE_U1, .features = 1};

/* --- writing --- */

static enum store_status append(struct store *store, struct checkpoint_record *record,
                                const void *bytes, size_t size)
{
    enum store_status status = STORE_OK;
    if (record->array.id == 0)
        status = store_array_begin(store, &of_bytes, &record->array.id);
    if (status == STORE_OK)
        status = store_array_append(store, record->array.id, record->chunks, bytes, size);
    record->chunks++;
    return status;
}

enum store_status store_checkpoint_append(struct store *store, struct checkpoint_record *record,
                                          const void *bytes, size_t size)
{
    struct checkpoint_record longer = *record;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = append(store, &longer, bytes, size);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *record = longer;
    return status;
}

static enum store_status put_row(struct store *store, int64_t run,
                                 const struct checkpoint_record *record)
{
    struct query query =
        query_begin(store, "INSERT INTO checkpoints (run, array, epoch) VALUES (?, ?, ?) ON "
                           "CONFLICT (run) DO UPDATE SET array = excluded.array, epoch = "
                           "excluded.epoch");
    query_integer(&query, run);
    query_integer(&query, record->array.id);
    query_integer(&query, record->epoch);
    return query_run(&query);
}

static enum store_status forgive_crashes(struct store *store, int64_t run)
{
    struct query query =
        query_begin(store, "UPDATE runs SET crashes = 0 WHERE id = ? AND crashes > 0");
    query_integer(&query, run);
    return query_run(&query);
}

/* The caller's record stays as it is, since the transaction may fail and be tried again. */
enum store_status store_checkpoint_put(struct store *store, int64_t run,
                                       const struct checkpoint_end *end)
{
    struct checkpoint_record whole = *end->record;
    enum store_status status = append(store, &whole, end->rest, end->rest_bytes);
    if (status == STORE_OK)
        status = store_array_end(store, &whole.array);
    if (status == STORE_OK)
        status = put_row(store, run, &whole);
    return status == STORE_OK ? forgive_crashes(store, run) : status;
}

enum store_status store_checkpoint_keep(struct store *store, int64_t run,
                                        const struct checkpoint_end *end)
{
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = store_checkpoint_put(store, run, end);
    return query_transaction_end(store, status);
}

/* --- reading --- */

#define COLUMN(sql, member) QUERY_COLUMN(sql, checkpoint_record, member)
static const struct query_column columns[] = {
    COLUMN("a.id", array.id),
    COLUMN("a.bytes", array.bytes),
    COLUMN("a.sha256", array.sha256),
    COLUMN("c.epoch", epoch),
    {0},
};
static const struct query_record checkpoints = {.size = sizeof(struct checkpoint_record),
                                                .columns = columns};

static bool only_look(void *context, const void *data, size_t bytes)
{
    (void)context, (void)data, (void)bytes;
    return true;
}

enum store_status store_checkpoint_find(struct store *store, int64_t run,
                                        struct checkpoint_record *ret_record)
{
    struct checkpoint_record record;
    struct query query = query_select(
        store, &checkpoints, "FROM checkpoints c JOIN arrays a ON a.id = c.array WHERE c.run = ?");
    query_integer(&query, run);
    enum store_status status = query_row(&query, &record);
    if (status == STORE_OK)
        status = store_array_read(store, &record.array, only_look, NULL);
    if (status == STORE_OK)
        *ret_record = record;
    return status;
}

/* --- deleting --- */

enum store_status store_checkpoint_delete(struct store *store, int64_t run)
{
    struct query query = query_begin(store, "DELETE FROM checkpoints WHERE run = ?");
    query_integer(&query, run);
    return query_run(&query);
}

enum store_status store_checkpoint_delete_older(struct store *store, int64_t run)
{
    struct query query = query_begin(
        store, "DELETE FROM checkpoints WHERE run IN (SELECT c.run FROM runs r JOIN runs o ON "
               "o.model = r.model AND o.id <> r.id AND o.state NOT IN ('queued', 'running') JOIN "
               "checkpoints c ON c.run = o.id WHERE r.id = ?)");
    query_integer(&query, run);
    return query_run(&query);
}

static enum store_status delete_metrics(struct store *store, int64_t run)
{
    struct query query = query_begin(store, "DELETE FROM metrics WHERE run = ?");
    query_integer(&query, run);
    return query_run(&query);
}

enum store_status store_checkpoint_drop(struct store *store, int64_t run)
{
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = store_checkpoint_delete(store, run);
    if (status == STORE_OK)
        status = delete_metrics(store, run);
    return query_transaction_end(store, status);
}
