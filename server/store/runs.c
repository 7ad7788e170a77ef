#include "server/store/runs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/query.h"

const char *const run_state_names[] = {
    [RUN_QUEUED] = "queued", [RUN_RUNNING] = "running",     [RUN_SUCCEEDED] = "succeeded",
    [RUN_FAILED] = "failed", [RUN_CANCELLED] = "cancelled", NULL};

void run_record_finish(struct run_record *record)
{
    free(record->params);
    free(record->error_detail);
    *record = (struct run_record){0};
}

/* --- showing --- */

/* A run's metrics are those of its best epoch, or of its last one. */
#define SELECT_RUN                                                                                 \
    "SELECT r.id, m.id, r.state, r.cancel_requested, r.base_version, r.version, r.epochs, "        \
    "r.params, r.error_code, r.error_detail, r.samples_sha256, r.validation_sha256, "              \
    "d.id, v.id, r.best_epoch, r.created_at, r.started_at, r.finished_at, "                        \
    "(SELECT max(epoch) FROM metrics WHERE run = r.id), " METRICS_COLUMNS
#define METRICS_COLUMNS "e.epoch, e.loss, e.accuracy, e.validation_loss, e.validation_accuracy "
#define OF_ANY_MODEL    "FROM runs r JOIN models m ON m.sequence = r.model " RUN_JOINS
#define OF_ONE_MODEL    "FROM models m LEFT JOIN runs r ON r.model = m.sequence "
#define RUN_JOINS                                                                                  \
    "LEFT JOIN datasets d ON d.sequence = r.dataset "                                              \
    "LEFT JOIN datasets v ON v.sequence = r.validation_dataset "                                   \
    "LEFT JOIN metrics e ON e.run = r.id "                                                         \
    "AND e.epoch = coalesce(r.best_epoch, (SELECT max(epoch) FROM metrics WHERE run = r.id)) "

static enum run_state read_state(struct query *query)
{
    const char *name = query_column_text(query);
    int state = 0;
    while (name != NULL && run_state_names[state + 1] != NULL &&
           strcmp(name, run_state_names[state]) != 0)
        state++;
    return (enum run_state)state;
}

static enum store_status read_metrics(struct query *query, void *ret_metrics)
{
    struct epoch_metrics *metrics = ret_metrics;
    metrics->epoch = query_column(query);
    metrics->loss = query_column_real(query);
    metrics->accuracy = query_column_real(query);
    metrics->validation_loss = query_column_real(query);
    metrics->validation_accuracy = query_column_real(query);
    return STORE_OK;
}

static enum store_status read_run(struct query *query, void *ret_record)
{
    bool failed = false;
    struct run_record record = {.id = query_column(query)};
    query_column_string(query, record.model, sizeof record.model);
    record.state = read_state(query);
    record.cancel_requested = query_column(query) != 0;
    record.base_version = query_column(query);
    record.version = query_column(query);
    record.epochs = query_column(query);
    record.params = query_column_copy(query, &failed);
    query_column_string(query, record.error_code, sizeof record.error_code);
    record.error_detail = query_column_copy(query, &failed);
    query_column_string(query, record.samples_sha256, sizeof record.samples_sha256);
    query_column_string(query, record.validation_sha256, sizeof record.validation_sha256);
    query_column_string(query, record.dataset, sizeof record.dataset);
    query_column_string(query, record.validation_dataset, sizeof record.validation_dataset);
    record.best_epoch = query_column(query);
    record.created_at = query_column(query);
    record.started_at = query_column(query);
    record.finished_at = query_column(query);
    record.epoch = query_column(query);
    read_metrics(query, &record.metrics);
    if (failed) {
        run_record_finish(&record);
        return STORE_NO_MEMORY;
    }
    *(struct run_record *)ret_record = record;
    return STORE_OK;
}

static void finish_run(void *record)
{
    run_record_finish(record);
}

static const struct query_record run_rows = {sizeof(struct run_record), read_run, finish_run};

enum store_status store_run_find(struct store *store, int64_t run, struct run_record *ret_record)
{
    struct query query = query_begin(store, SELECT_RUN OF_ANY_MODEL "WHERE r.id = ?");
    query_integer(&query, run);
    return query_row(&query, &run_rows, ret_record);
}

/* One statement for each combination of filters, so that each walks an index. */
static const char *list_sql(bool has_model, bool has_state)
{
    if (has_model && has_state)
        return SELECT_RUN OF_ONE_MODEL "AND r.state = ?2 AND r.id < ?3 " RUN_JOINS
                                       "WHERE m.id = ?1 ORDER BY r.id DESC LIMIT ?4";
    if (has_model)
        return SELECT_RUN OF_ONE_MODEL "AND r.id < ?2 " RUN_JOINS
                                       "WHERE m.id = ?1 ORDER BY r.id DESC LIMIT ?3";
    if (has_state)
        return SELECT_RUN OF_ANY_MODEL "WHERE r.state = ? AND r.id < ? ORDER BY r.id DESC LIMIT ?";
    return SELECT_RUN OF_ANY_MODEL "WHERE r.id < ? ORDER BY r.id DESC LIMIT ?";
}

/* A model without any such run is one row of NULLs. */
enum store_status store_run_list(struct store *store, const char *model, int state, int64_t before,
                                 size_t limit, struct run_record *records, size_t *ret_count)
{
    size_t count;
    struct query query = query_begin(store, list_sql(model != NULL, state >= 0));
    if (model != NULL)
        query_text(&query, model);
    if (state >= 0)
        query_text(&query, run_state_names[state]);
    query_page(&query, before, limit);
    const enum store_status status = query_rows(&query, &run_rows, records, &count);
    if (status != STORE_OK)
        return status;
    if (model != NULL && count == 0)
        return STORE_NOT_FOUND;
    *ret_count = count > 0 && records[0].id == 0 ? 0 : count;
    return STORE_OK;
}

static enum store_status run_exists(struct store *store, int64_t run)
{
    struct query query = query_begin(store, "SELECT 1 FROM runs WHERE id = ?");
    query_integer(&query, run);
    return query_exists(&query);
}

enum store_status store_run_metrics(struct store *store, int64_t run, int64_t after, size_t limit,
                                    struct epoch_metrics *metrics, size_t *ret_count)
{
    static const struct query_record kind = {sizeof *metrics, read_metrics, NULL};
    const enum store_status status = run_exists(store, run);
    if (status != STORE_OK)
        return status;
    struct query query =
        query_begin(store, "SELECT " METRICS_COLUMNS "FROM metrics e "
                           "WHERE e.run = ? AND e.epoch > ? ORDER BY e.epoch LIMIT ?");
    query_integer(&query, run);
    query_integer(&query, after);
    query_integer(&query, (int64_t)limit);
    return query_rows(&query, &kind, metrics, ret_count);
}

/* --- training --- */

static enum store_status insert_metrics(struct store *store, int64_t run,
                                        const struct epoch_metrics *metrics, size_t count)
{
    enum store_status status = STORE_OK;
    for (size_t i = 0; status == STORE_OK && i < count; i++) {
        struct query query =
            query_begin(store, "INSERT INTO metrics (run, epoch, loss, accuracy, validation_loss, "
                               "validation_accuracy) VALUES (?, ?, ?, ?, ?, ?)");
        query_integer(&query, run);
        query_integer(&query, metrics[i].epoch);
        query_real(&query, metrics[i].loss);
        query_real(&query, metrics[i].accuracy);
        query_real(&query, metrics[i].validation_loss);
        query_real(&query, metrics[i].validation_accuracy);
        status = query_run(&query);
    }
    return status;
}

enum store_status store_run_progress(struct store *store, int64_t run,
                                     const struct epoch_metrics *metrics, size_t count)
{
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = insert_metrics(store, run, metrics, count);
    return query_transaction_end(store, status);
}

/* --- ends --- */

static enum store_status set_end(struct store *store, int64_t run, const struct run_end *end,
                                 int64_t version, int64_t now)
{
    struct query query =
        query_begin(store, "UPDATE runs SET state = ?, error_code = ?, error_detail = ?, "
                           "version = ?, best_epoch = ?, finished_at = ? WHERE id = ?");
    query_text(&query, run_state_names[end->state]);
    query_text(&query, end->code);
    query_text(&query, end->detail);
    query_integer_or_null(&query, version);
    query_integer_or_null(&query, end->best_epoch);
    query_integer(&query, now);
    query_integer(&query, run);
    return query_run(&query);
}

/* STORE_ENDED: the run is there, but does not run. */
static enum store_status find_running(struct store *store, int64_t run, int64_t *ret_model)
{
    struct query query =
        query_begin(store, "SELECT iif(state = 'running', model, 0) FROM runs WHERE id = ?");
    query_integer(&query, run);
    const enum store_status status = query_number(&query, ret_model);
    return status == STORE_OK && *ret_model == 0 ? STORE_ENDED : status;
}

enum store_status store_run_end(struct store *store, int64_t run,
                                const struct epoch_metrics *metrics, size_t count,
                                const struct run_end *end, int64_t now)
{
    int64_t model, version = 0;
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = find_running(store, run, &model);
    if (status == STORE_OK)
        status = insert_metrics(store, run, metrics, count);
    if (status == STORE_OK && end->state == RUN_SUCCEEDED)
        status = store_version_publish(store, model, run, end->tensors, end->tensor_count, now,
                                       &version);
    if (status == STORE_OK)
        status = set_end(store, run, end, version, now);
    return query_transaction_end(store, status);
}
