#include "server/store/queue.h"

#include <stdio.h>

#include "server/base/limits.h"
#include "server/store/checkpoints.h"
#include "server/store/query.h"
#include "server/store/retries.h"
#include "server/store/samples.h"

static enum store_status count_queued(struct store *store, int64_t *ret_queued)
{
    struct query query = query_begin(store, "SELECT count(*) FROM runs WHERE state = 'queued'");
    return query_number(&query, ret_queued);
}

/* STORE_NOT_FOUND: the model is not there. */
static enum store_status count_queued_of(struct store *store, int64_t model, int64_t *ret_queued)
{
    struct query query =
        query_begin(store, "SELECT (SELECT count(*) FROM runs WHERE model = m.sequence AND state = "
                           "'queued') FROM models m WHERE m.sequence = ?");
    query_integer(&query, model);
    return query_number(&query, ret_queued);
}

/* Whether the model is there, and the queue has room for another run of it. */
static enum store_status check_room(struct store *store, int64_t model)
{
    int64_t queued, of_model;
    enum store_status status = count_queued_of(store, model, &of_model);
    if (status == STORE_OK)
        status = count_queued(store, &queued);
    if (status != STORE_OK)
        return status;
    return queued >= LIMIT_QUEUED_RUNS              ? STORE_QUEUE_FULL
           : of_model >= LIMIT_QUEUED_RUNS_OF_MODEL ? STORE_MODEL_QUEUE_FULL
                                                    : STORE_OK;
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
    return store_samples_insert(store, &source->samples, source->sha256, &source->samples_row);
}

/* The turn of a new run of a model: after that of the model's last run in the queue, and not before
 * that of the queue's first run, since what a model has not used is not saved up. */
#define NEXT_TURN(model)                                                                           \
    "max(ifnull((SELECT turn FROM runs WHERE model = " model " AND state = 'queued' ORDER BY id "  \
    "DESC LIMIT 1), 0) + 1, ifnull((SELECT min(turn) FROM runs WHERE state = 'queued'), 0))"

static enum store_status insert_row(struct store *store, int64_t model, const char *params,
                                    int64_t epochs, size_t memory,
                                    const struct data_source *training,
                                    const struct data_source *validation, int64_t now,
                                    int64_t *ret_run)
{
    struct query query = query_begin(
        store,
        "INSERT INTO runs (model, state, turn, epochs, memory, params, samples, dataset, "
        "samples_sha256, validation, validation_dataset, validation_sha256, "
        "created_at) VALUES (?1, 'queued', " NEXT_TURN("?1") ", ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                                                             "RETURNING id");
    query_integer(&query, model);
    query_integer(&query, epochs);
    query_integer(&query, (int64_t)memory);
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
                                     int64_t epochs, size_t memory, struct data_source *training,
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
        status = insert_row(store, model, params, epochs, memory, training, validation, now, &run);
    if (status == STORE_OK)
        status = store_run_seal(store, run);
    if (status == STORE_OK)
        status = store_retry_keep(store, run, now);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_run = run;
    return status;
}

/* --- runs that were interrupted --- */

enum store_status store_queue_rewind(struct store *store, int64_t run)
{
    struct query query = query_begin(
        store, "DELETE FROM metrics AS e WHERE run IN (SELECT id FROM runs WHERE state = 'running' "
               "AND NOT cancel_requested AND (id = ?1 OR ?1 = 0)) AND epoch > ifnull((SELECT "
               "c.epoch FROM checkpoints c WHERE c.run = e.run), 0)");
    query_integer(&query, run);
    return query_run(&query);
}

#define QUOTE(number)      #number
#define TEXT_OF(number)    QUOTE(number)
#define CRASHED            "(?3 AND crashes + 1 >= " TEXT_OF(LIMIT_CRASHES) ")"
#define IF_IT_ENDS(column) "iif(cancel_requested OR " CRASHED ", " column ", NULL)"

static enum store_status queue_or_end(struct store *store, int64_t now)
{
    struct query query = query_begin(
        store, "UPDATE runs SET state = CASE WHEN cancel_requested THEN 'cancelled' WHEN " CRASHED
               " THEN 'failed' ELSE 'queued' END, crashes = iif(?3, crashes + 1, 0), "
               "error_code = iif(NOT cancel_requested AND " CRASHED ", 'crashed', NULL), "
               "error_detail = iif(NOT cancel_requested AND " CRASHED ", ?1, NULL), "
               "started_at = " IF_IT_ENDS("started_at") ", finished_at = " IF_IT_ENDS(
                   "?2") " WHERE state = 'running'");
    query_text(
        &query,
        "The server ended " TEXT_OF(
            LIMIT_CRASHES) " times in a row without a stop "
                           "while this run was training. It may need more memory than there is.");
    query_integer(&query, now);
    query_integer(&query, !claim_was_released(&store->claim));
    return query_run(&query);
}

static enum store_status forget_checkpoints(struct store *store)
{
    struct query query = query_begin(store, "DELETE FROM checkpoints WHERE run IN (SELECT id FROM "
                                            "runs WHERE state = 'failed')");
    return query_run(&query);
}

enum store_status store_queue_take_up(struct store *store, int64_t now)
{
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = store_queue_rewind(store, 0);
    if (status == STORE_OK)
        status = queue_or_end(store, now);
    if (status == STORE_OK)
        status = forget_checkpoints(store);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        claim_mark(&store->claim);
    return status;
}

/* A cancellation that was asked for meanwhile takes effect at the next start. */
static enum store_status queue_again(struct store *store, int64_t run)
{
    struct query query =
        query_begin(store, "UPDATE runs SET state = 'queued', started_at = NULL, crashes = 0 WHERE "
                           "id = ? AND state = 'running' AND NOT cancel_requested");
    query_integer(&query, run);
    return query_run(&query);
}

enum store_status store_queue_return(struct store *store, int64_t run,
                                     const struct epoch_metrics *metrics, size_t count,
                                     const struct checkpoint_end *checkpoint)
{
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK && checkpoint != NULL)
        status = store_run_add_metrics(store, run, metrics, count);
    if (status == STORE_OK && checkpoint != NULL)
        status = store_checkpoint_put(store, run, checkpoint);
    if (status == STORE_OK)
        status = store_queue_rewind(store, run);
    if (status == STORE_OK)
        status = queue_again(store, run);
    return query_transaction_end(store, status);
}

/* --- going on from an ended run --- */

/* STORE_IN_USE: it has not ended. STORE_ENDED: it has, and nothing is left to go on from.
 * STORE_MISMATCH: a dataset of it is not as it was. */
static enum store_status check_resumption(struct store *store, int64_t run)
{
    int64_t answer;
    struct query query = query_begin(
        store,
        "SELECT CASE WHEN state IN ('queued', 'running') THEN ?2 WHEN NOT EXISTS (SELECT 1 FROM "
        "checkpoints WHERE run = r.id) THEN ?3 WHEN samples IS NULL AND NOT EXISTS (SELECT 1 FROM "
        "datasets d WHERE d.sequence = r.dataset AND d.sha256 = r.samples_sha256) THEN ?4 WHEN "
        "validation_sha256 IS NOT NULL AND validation IS NULL AND NOT EXISTS (SELECT 1 FROM "
        "datasets d WHERE d.sequence = r.validation_dataset AND d.sha256 = r.validation_sha256) "
        "THEN ?4 ELSE ?5 END FROM runs r WHERE id = ?1");
    query_integer(&query, run);
    query_integer(&query, STORE_IN_USE);
    query_integer(&query, STORE_ENDED);
    query_integer(&query, STORE_MISMATCH);
    query_integer(&query, STORE_OK);
    const enum store_status status = query_number(&query, &answer);
    return status == STORE_OK ? (enum store_status)answer : status;
}

static enum store_status find_model(struct store *store, int64_t run, int64_t *ret_model)
{
    struct query query = query_begin(store, "SELECT model FROM runs WHERE id = ?");
    query_integer(&query, run);
    return query_number(&query, ret_model);
}

static enum store_status insert_resumption(struct store *store, int64_t run,
                                           const struct resumption *resumption, int64_t now,
                                           int64_t *ret_run)
{
    struct query query = query_begin(
        store,
        "INSERT INTO runs (model, state, turn, memory, epochs, params, samples, dataset, "
        "samples_sha256, validation, validation_dataset, validation_sha256, base_version, "
        "continues, created_at) SELECT model, 'queued', " NEXT_TURN(
            "o.model") ", memory, "
                       "?2, ?3, samples, dataset, samples_sha256, validation, validation_dataset, "
                       "validation_sha256, base_version, id, ?4 FROM runs o WHERE id = ?1 "
                       "RETURNING id");
    query_integer(&query, run);
    query_integer(&query, resumption->epochs);
    query_text(&query, resumption->params);
    query_integer(&query, now);
    return query_number(&query, ret_run);
}

static enum store_status copy_metrics(struct store *store, int64_t from, int64_t to)
{
    struct query query = query_begin(
        store, "INSERT INTO metrics (run, epoch, loss, accuracy, validation_loss, "
               "validation_accuracy) SELECT ?2, epoch, loss, accuracy, validation_loss, "
               "validation_accuracy FROM metrics WHERE run = ?1");
    query_integer(&query, from);
    query_integer(&query, to);
    return query_run(&query);
}

static enum store_status move_checkpoint(struct store *store, int64_t from, int64_t to)
{
    struct query query = query_begin(store, "UPDATE checkpoints SET run = ?2 WHERE run = ?1");
    query_integer(&query, from);
    query_integer(&query, to);
    return query_run(&query);
}

static enum store_status resume(struct store *store, int64_t run,
                                const struct resumption *resumption, int64_t now, int64_t *ret_run)
{
    int64_t model;
    enum store_status status = check_resumption(store, run);
    if (status == STORE_OK)
        status = find_model(store, run, &model);
    if (status == STORE_OK)
        status = check_room(store, model);
    if (status == STORE_OK)
        status = insert_resumption(store, run, resumption, now, ret_run);
    if (status == STORE_OK)
        status = store_run_seal(store, *ret_run);
    if (status == STORE_OK)
        status = copy_metrics(store, run, *ret_run);
    return status == STORE_OK ? move_checkpoint(store, run, *ret_run) : status;
}

enum store_status store_queue_resume(struct store *store, int64_t run,
                                     const struct resumption *resumption, int64_t now,
                                     int64_t *ret_run)
{
    int64_t further = 0;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = resume(store, run, resumption, now, &further);
    status = query_transaction_end(store, status);
    if (status == STORE_OK)
        *ret_run = further;
    return status;
}

/* --- claiming, cancelling --- */

static enum store_status find_next(struct store *store, int64_t *ret_run)
{
    struct query query = query_begin(
        store, "SELECT id FROM runs q WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM runs r "
               "WHERE r.model = q.model AND r.state = 'running') ORDER BY turn, id LIMIT 1");
    return query_number(&query, ret_run);
}

static enum store_status begin_run(struct store *store, int64_t run, int64_t now)
{
    struct query query =
        query_begin(store, "UPDATE runs SET state = 'running', started_at = ?, base_version = "
                           "ifnull(base_version, (SELECT version FROM models WHERE sequence = "
                           "runs.model)) WHERE id = ?");
    query_integer(&query, now);
    query_integer(&query, run);
    return query_run(&query);
}

/* A run whose row is damaged fails, so that it holds up no other. */
static enum store_status fail_damaged(struct store *store, int64_t run, int64_t now)
{
    struct query query = query_begin(
        store, "UPDATE runs SET state = 'failed', error_code = 'damaged_data', error_detail = "
               "'The stored data can''t be read.', finished_at = ? WHERE id = ?");
    query_integer(&query, now);
    query_integer(&query, run);
    return query_run(&query);
}

static enum store_status claim_next(struct store *store, int64_t now, struct run_record *ret_record)
{
    int64_t run;
    enum store_status status;
    while ((status = find_next(store, &run)) == STORE_OK) {
        status = begin_run(store, run, now);
        if (status == STORE_OK)
            status = store_run_find(store, run, ret_record);
        if (!store_status_is_damage(status) &&
            status != STORE_NOT_FOUND) /* its model is not there */
            return status;
        status = fail_damaged(store, run, now);
        if (status != STORE_OK)
            return status;
    }
    return status;
}

enum store_status store_queue_claim(struct store *store, int64_t now,
                                    bool (*takes)(void *context, size_t memory), void *context,
                                    struct run_record *ret_record)
{
    struct run_record record = {0};
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = claim_next(store, now, &record);
    if (status == STORE_OK && !takes(context, record.memory))
        status = STORE_NO_ROOM;
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

enum store_status store_queue_is_cancelled(struct store *store, int64_t run)
{
    struct query query = query_begin(store, "SELECT 1 FROM runs WHERE id = ? AND cancel_requested");
    query_integer(&query, run);
    return query_exists(&query);
}
