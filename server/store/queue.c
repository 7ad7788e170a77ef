#include "server/store/queue.h"

#include "server/base/limits.h"
#include "server/store/query.h"
#include "server/store/samples.h"

/* Whether the model is there, and the queue has room for another run of it. */
static enum store_status check_room(struct store *store, int64_t model)
{
    int64_t queued;
    struct query query =
        query_begin(store, "SELECT (SELECT count(*) FROM runs WHERE state = 'queued') FROM models "
                           "WHERE sequence = ?");
    query_integer(&query, model);
    const enum store_status status = query_number(&query, &queued);
    return status == STORE_OK && queued >= LIMIT_QUEUED_RUNS ? STORE_QUEUE_FULL : status;
}

/* STORE_MISMATCH: the dataset has been replaced or deleted since it was found. */
static enum store_status check_dataset(struct store *store, const struct data_source *source)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM datasets WHERE sequence = ? AND sha256 = ?");
    query_integer(&query, source->dataset);
    query_text(&query, source->sha256);
    const enum store_status status = query_exists(&query);
    return status == STORE_NOT_FOUND ? STORE_MISMATCH : status;
}

static enum store_status keep_source(struct store *store, struct data_source *source)
{
    if (source->dataset != 0)
        return check_dataset(store, source);
    if (source->samples.count == 0)
        return STORE_OK;
    return store_samples_insert(store, &source->samples, &source->samples_row, source->sha256);
}

static enum store_status insert_row(struct store *store, int64_t model, const char *params,
                                    int64_t epochs, const struct data_source *training,
                                    const struct data_source *validation, int64_t now,
                                    int64_t *ret_run)
{
    struct query query = query_begin(
        store, "INSERT INTO runs (model, state, epochs, params, samples, dataset, "
               "samples_sha256, validation, validation_dataset, validation_sha256, "
               "created_at) VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id");
    query_integer(&query, model);
    query_integer(&query, epochs);
    query_text(&query, params);
    query_integer_or_null(&query, training->samples_row);
    query_integer_or_null(&query, training->dataset);
    query_text(&query, training->sha256);
    query_integer_or_null(&query, validation->samples_row);
    query_integer_or_null(&query, validation->dataset);
    query_text_or_null(&query, validation->sha256);
    query_integer(&query, now);
    return query_number(&query, ret_run);
}

enum store_status store_queue_insert(struct store *store, int64_t model, const char *params,
                                     int64_t epochs, struct data_source *training,
                                     struct data_source *validation, int64_t now, int64_t *ret_run)
{
    int64_t run = 0;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = check_room(store, model);
    if (status == STORE_OK)
        status = keep_source(store, training);
    if (status == STORE_OK)
        status = keep_source(store, validation);
    if (status == STORE_OK)
        status = insert_row(store, model, params, epochs, training, validation, now, &run);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_run = run;
    return status;
}

static enum store_status forget_metrics(struct store *store)
{
    struct query query =
        query_begin(store, "DELETE FROM metrics WHERE run IN (SELECT id FROM runs WHERE state = "
                           "'running' AND NOT cancel_requested)");
    return query_run(&query);
}

static enum store_status queue_or_cancel(struct store *store, int64_t now)
{
    struct query query =
        query_begin(store, "UPDATE runs SET state = iif(cancel_requested, 'cancelled', 'queued'), "
                           "started_at = iif(cancel_requested, started_at, NULL), "
                           "finished_at = iif(cancel_requested, ?, NULL) WHERE state = 'running'");
    query_integer(&query, now);
    return query_run(&query);
}

enum store_status store_queue_take_up(struct store *store, int64_t now)
{
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = forget_metrics(store);
    if (status == STORE_OK)
        status = queue_or_cancel(store, now);
    return query_transaction_end(store, status);
}

static enum store_status claim_oldest(struct store *store, int64_t now,
                                      struct run_record *ret_record)
{
    int64_t run;
    struct query query = query_begin(
        store,
        "UPDATE runs SET state = 'running', started_at = ?, base_version = ifnull(base_version, "
        "(SELECT version FROM models WHERE sequence = runs.model)) WHERE id = (SELECT id FROM "
        "runs q WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.model = "
        "q.model AND r.state = 'running') ORDER BY id LIMIT 1) RETURNING id");
    query_integer(&query, now);
    const enum store_status status = query_number(&query, &run);
    return status == STORE_OK ? store_run_find(store, run, ret_record) : status;
}

enum store_status store_queue_claim(struct store *store, int64_t now, struct run_record *ret_record)
{
    struct run_record record = {0};
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = claim_oldest(store, now, &record);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_record = record;
    else
        run_record_finish(&record);
    return status;
}

/* STORE_ENDED: the run is there, but neither queued nor running. */
static enum store_status check_open(struct store *store, int64_t run)
{
    int64_t is_open;
    struct query query =
        query_begin(store, "SELECT state IN ('queued', 'running') FROM runs WHERE id = ?");
    query_integer(&query, run);
    const enum store_status status = query_number(&query, &is_open);
    return status == STORE_OK && !is_open ? STORE_ENDED : status;
}

static enum store_status request_cancel(struct store *store, int64_t run, int64_t now,
                                        int64_t *ret_cancelled)
{
    struct query query = query_begin(
        store, "UPDATE runs SET cancel_requested = 1, finished_at = iif(state = 'queued', ?, NULL)"
               ", state = iif(state = 'queued', 'cancelled', state) WHERE id = ? "
               "RETURNING state = 'cancelled'");
    query_integer(&query, now);
    query_integer(&query, run);
    return query_number(&query, ret_cancelled);
}

enum store_status store_queue_cancel(struct store *store, int64_t run, int64_t now,
                                     enum run_state *ret_state)
{
    int64_t cancelled = 0;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = check_open(store, run);
    if (status == STORE_OK)
        status = request_cancel(store, run, now, &cancelled);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_state = cancelled ? RUN_CANCELLED : RUN_RUNNING;
    return status;
}
