/* The runs: a queue, from which workers claim, and a history. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/query.h"

const char *const run_state_names[] = {
    [RUN_QUEUED] = "queued", [RUN_RUNNING] = "running",     [RUN_SUCCEEDED] = "succeeded",
    [RUN_FAILED] = "failed", [RUN_CANCELLED] = "cancelled", NULL};

/* --- queueing --- */

static enum store_status check_room(struct store *store)
{
    struct query query = query_begin(store, "SELECT count(*) FROM runs WHERE state = 'queued'");
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    if (query_column(&query, 0) >= LIMIT_QUEUED_RUNS)
        status = STORE_QUEUE_FULL;
    query_end(&query);
    return status;
}

struct run_source {
    int64_t samples; /* 0: none */
    int64_t dataset; /* 0: none */
    char sha256[65]; /* "": neither */
};

/* STORE_MISMATCH: since it was found, it has been replaced or deleted. */
static enum store_status check_dataset(struct store *store, const struct run_data *data)
{
    struct query query =
        query_begin(store, "SELECT 1 FROM datasets WHERE sequence = ? AND sha256 = ?");
    query_integer(&query, data->dataset);
    query_text(&query, data->sha256);
    const enum store_status status = query_next(&query);
    if (status == STORE_OK)
        query_end(&query);
    return status == STORE_NOT_FOUND ? STORE_MISMATCH : status;
}

static enum store_status find_source(struct store *store, const struct run_data *data,
                                     struct run_source *source)
{
    if (data->samples != NULL)
        return store_samples_insert(store, data->samples, &source->samples, source->sha256);
    if (data->dataset == 0)
        return STORE_OK;
    source->dataset = data->dataset;
    snprintf(source->sha256, sizeof source->sha256, "%s", data->sha256);
    return check_dataset(store, data);
}

static enum store_status insert_run(struct store *store, int64_t model, const char *params,
                                    int64_t epochs, const struct run_data *training,
                                    const struct run_data *validation, int64_t now)
{
    struct run_source source = {0}, validation_source = {0};
    enum store_status status = store_model_exists(store, model);
    if (status == STORE_OK)
        status = check_room(store);
    if (status == STORE_OK)
        status = find_source(store, training, &source);
    if (status == STORE_OK)
        status = find_source(store, validation, &validation_source);
    if (status != STORE_OK)
        return status;
    struct query query =
        query_begin(store, "INSERT INTO runs (model, state, epochs, params, samples, dataset, "
                           "samples_sha256, validation, validation_dataset, validation_sha256, "
                           "created_at) VALUES (?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query_integer(&query, model);
    query_integer(&query, epochs);
    query_text(&query, params);
    query_integer_or_null(&query, source.samples);
    query_integer_or_null(&query, source.dataset);
    query_text(&query, source.sha256);
    query_integer_or_null(&query, validation_source.samples);
    query_integer_or_null(&query, validation_source.dataset);
    query_text(&query, validation_source.sha256[0] != '\0' ? validation_source.sha256 : NULL);
    query_integer(&query, now);
    return query_run(&query);
}

enum store_status store_run_insert(struct store *store, int64_t model, const char *params,
                                   int64_t epochs, const struct run_data *training,
                                   const struct run_data *validation, int64_t now, int64_t *ret_run)
{
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = insert_run(store, model, params, epochs, training, validation, now);
    const int64_t run = sqlite3_last_insert_rowid(store->db);
    status = store_end(store, status);
    if (status == STORE_OK)
        *ret_run = run;
    return status;
}

/* --- showing --- */

#define RUN_COLUMNS                                                                                \
    "SELECT r.id, m.id, r.state, r.cancel_requested, r.base_version, r.version, r.epochs, "        \
    "r.params, r.error_code, r.error_detail, r.samples_sha256, r.validation_sha256, "              \
    "r.created_at, r.started_at, r.finished_at, e.epoch, e.loss, e.accuracy, e.validation_loss, "  \
    "e.validation_accuracy, d.id, v.id, r.best_epoch, "                                            \
    "(SELECT max(epoch) FROM metrics WHERE run = r.id) FROM runs r JOIN models m ON m.sequence = " \
    "r.model "                                                                                     \
    "LEFT JOIN datasets d ON d.sequence = r.dataset "                                              \
    "LEFT JOIN datasets v ON v.sequence = r.validation_dataset "                                   \
    "LEFT JOIN metrics e ON e.run = r.id "                                                         \
    "AND e.epoch = coalesce(r.best_epoch, (SELECT max(epoch) FROM metrics WHERE run = r.id)) "

static void copy_text(const struct query *query, int column, char *out, size_t size)
{
    const char *text = query_column_text(query, column);
    if (text != NULL)
        strncpy(out, text, size - 1);
}

static enum run_state state_of(const struct query *query, int column)
{
    const char *name = query_column_text(query, column);
    int state = 0;
    while (name != NULL && run_state_names[state + 1] != NULL &&
           strcmp(name, run_state_names[state]) != 0)
        state++;
    return (enum run_state)state;
}

static struct epoch_metrics metrics_of(const struct query *query, int column)
{
    return (struct epoch_metrics){
        .epoch = query_column(query, column),
        .loss = query_column_real(query, column + 1),
        .accuracy = query_column_real(query, column + 2),
        .validation_loss = query_column_real(query, column + 3),
        .validation_accuracy = query_column_real(query, column + 4),
    };
}

static enum store_status read_run(const struct query *query, struct run_record *ret_record)
{
    bool failed = false;
    struct run_record record = {
        .id = query_column(query, 0),
        .state = state_of(query, 2),
        .cancel_requested = query_column(query, 3) != 0,
        .base_version = query_column(query, 4),
        .version = query_column(query, 5),
        .epochs = query_column(query, 6),
        .params = query_column_copy(query, 7, &failed),
        .error_detail = query_column_copy(query, 9, &failed),
        .created_at = query_column(query, 12),
        .started_at = query_column(query, 13),
        .finished_at = query_column(query, 14),
        .epoch = query_column(query, 23),
        .best_epoch = query_column(query, 22),
        .metrics = metrics_of(query, 15),
    };
    copy_text(query, 1, record.model, sizeof record.model);
    copy_text(query, 8, record.error_code, sizeof record.error_code);
    copy_text(query, 10, record.samples_sha256, sizeof record.samples_sha256);
    copy_text(query, 11, record.validation_sha256, sizeof record.validation_sha256);
    copy_text(query, 20, record.dataset, sizeof record.dataset);
    copy_text(query, 21, record.validation_dataset, sizeof record.validation_dataset);
    if (failed) {
        run_record_finish(&record);
        return STORE_NO_MEMORY;
    }
    *ret_record = record;
    return STORE_OK;
}

enum store_status store_run_find(struct store *store, int64_t run, struct run_record *ret_record)
{
    struct query query = query_begin(store, RUN_COLUMNS "WHERE r.id = ?");
    query_integer(&query, run);
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    status = read_run(&query, ret_record);
    query_end(&query);
    return status;
}

/* One statement for each combination of filters, so that each walks an index. */
static struct query list_query(struct store *store, int64_t model, int state)
{
    struct query query;
    if (model != 0 && state >= 0)
        query = query_begin(store, RUN_COLUMNS "WHERE r.model = ? AND r.state = ? AND r.id < ? "
                                               "ORDER BY r.id DESC LIMIT ?");
    else if (model != 0)
        query = query_begin(store, RUN_COLUMNS "WHERE r.model = ? AND r.id < ? "
                                               "ORDER BY r.id DESC LIMIT ?");
    else if (state >= 0)
        query = query_begin(store, RUN_COLUMNS "WHERE r.state = ? AND r.id < ? "
                                               "ORDER BY r.id DESC LIMIT ?");
    else
        query = query_begin(store, RUN_COLUMNS "WHERE r.id < ? ORDER BY r.id DESC LIMIT ?");
    if (model != 0)
        query_integer(&query, model);
    if (state >= 0)
        query_text(&query, run_state_names[state]);
    return query;
}

enum store_status store_run_list(struct store *store, const char *model, int state, int64_t before,
                                 size_t limit, struct run_record *records, size_t *ret_count)
{
    int64_t sequence = 0;
    size_t count = 0;
    enum store_status status = STORE_OK;
    if (model != NULL)
        status = store_model_sequence(store, model, &sequence);
    if (status != STORE_OK)
        return status;
    struct query query = list_query(store, sequence, state);
    query_integer(&query, before == 0 ? INT64_MAX : before);
    query_integer(&query, (int64_t)limit);
    while ((status = query_next(&query)) == STORE_OK) {
        status = read_run(&query, &records[count]);
        if (status != STORE_OK) {
            query_end(&query);
            break;
        }
        count++;
    }
    if (status != STORE_NOT_FOUND) {
        while (count > 0)
            run_record_finish(&records[--count]);
        return status;
    }
    *ret_count = count;
    return STORE_OK;
}

static enum store_status run_exists(struct store *store, int64_t run)
{
    struct query query = query_begin(store, "SELECT 1 FROM runs WHERE id = ?");
    query_integer(&query, run);
    const enum store_status status = query_next(&query);
    if (status == STORE_OK)
        query_end(&query);
    return status;
}

enum store_status store_run_metrics(struct store *store, int64_t run, int64_t after, size_t limit,
                                    struct epoch_metrics *metrics, size_t *ret_count)
{
    size_t count = 0;
    enum store_status status = run_exists(store, run);
    if (status != STORE_OK)
        return status;
    struct query query = query_begin(
        store, "SELECT epoch, loss, accuracy, validation_loss, validation_accuracy FROM metrics "
               "WHERE run = ? AND epoch > ? ORDER BY epoch LIMIT ?");
    query_integer(&query, run);
    query_integer(&query, after);
    query_integer(&query, (int64_t)limit);
    while ((status = query_next(&query)) == STORE_OK)
        metrics[count++] = metrics_of(&query, 0);
    if (status != STORE_NOT_FOUND)
        return status;
    *ret_count = count;
    return STORE_OK;
}

/* --- working --- */

static enum store_status take_up(struct store *store, int64_t now)
{
    struct query cancelled = query_begin(store, "UPDATE runs SET state = 'cancelled', finished_at "
                                                "= ? WHERE state = 'running' AND cancel_requested");
    query_integer(&cancelled, now);
    enum store_status status = query_run(&cancelled);
    if (status == STORE_OK) {
        struct query metrics = query_begin(store, "DELETE FROM metrics WHERE run IN "
                                                  "(SELECT id FROM runs WHERE state = 'running')");
        status = query_run(&metrics);
    }
    if (status == STORE_OK) {
        struct query queued =
            query_begin(store, "UPDATE runs SET state = 'queued', started_at = NULL "
                               "WHERE state = 'running'");
        status = query_run(&queued);
    }
    return status;
}

enum store_status store_runs_take_up(struct store *store, int64_t now)
{
    const enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    return store_end(store, take_up(store, now));
}

static enum store_status claim_oldest(struct store *store, int64_t now,
                                      struct run_record *ret_record)
{
    struct query query = query_begin(
        store,
        "UPDATE runs SET state = 'running', started_at = ?, base_version = ifnull(base_version, "
        "(SELECT version FROM models WHERE sequence = runs.model)) WHERE id = (SELECT id FROM "
        "runs q WHERE state = 'queued' AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.model = "
        "q.model AND r.state = 'running') ORDER BY id LIMIT 1) RETURNING id");
    query_integer(&query, now);
    const enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    const int64_t run = query_column(&query, 0);
    query_end(&query);
    return store_run_find(store, run, ret_record);
}

enum store_status store_run_claim(struct store *store, int64_t now, struct run_record *ret_record)
{
    struct run_record record = {0};
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = store_end(store, claim_oldest(store, now, &record));
    if (status == STORE_OK)
        *ret_record = record;
    else
        run_record_finish(&record);
    return status;
}

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
    const enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    return store_end(store, insert_metrics(store, run, metrics, count));
}

/* --- ends --- */

struct run_end {
    enum run_state state;
    const char *code; /* of a failure, else NULL */
    const char *detail;
    int64_t version; /* published, else 0 */
    int64_t best_epoch;
    int64_t now;
};

static enum store_status set_end(struct store *store, int64_t run, const struct run_end *end)
{
    struct query query =
        query_begin(store, "UPDATE runs SET state = ?, error_code = ?, error_detail = ?, "
                           "version = ?, best_epoch = ?, finished_at = ? WHERE id = ?");
    query_text(&query, run_state_names[end->state]);
    query_text(&query, end->code);
    query_text(&query, end->detail);
    query_integer_or_null(&query, end->version);
    query_integer_or_null(&query, end->best_epoch);
    query_integer(&query, end->now);
    query_integer(&query, run);
    return query_run(&query);
}

/* STORE_ENDED: it is there, but does not run. */
static enum store_status find_running(struct store *store, int64_t run, int64_t *ret_model)
{
    struct query query = query_begin(store, "SELECT model, state FROM runs WHERE id = ?");
    query_integer(&query, run);
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    if (state_of(&query, 1) == RUN_RUNNING)
        *ret_model = query_column(&query, 0);
    else
        status = STORE_ENDED;
    query_end(&query);
    return status;
}

static enum store_status succeed(struct store *store, int64_t run,
                                 const struct epoch_metrics *metrics, size_t count,
                                 const struct run_result *result, int64_t now, int64_t *ret_version)
{
    int64_t model;
    enum store_status status = find_running(store, run, &model);
    if (status == STORE_OK)
        status = insert_metrics(store, run, metrics, count);
    if (status == STORE_OK)
        status = store_version_publish(store, model, run, result->tensors, result->tensor_count,
                                       now, ret_version);
    if (status != STORE_OK)
        return status;
    const struct run_end end = {.state = RUN_SUCCEEDED,
                                .version = *ret_version,
                                .best_epoch = result->best_epoch,
                                .now = now};
    return set_end(store, run, &end);
}

enum store_status store_run_succeed(struct store *store, int64_t run,
                                    const struct epoch_metrics *metrics, size_t count,
                                    const struct run_result *result, int64_t now,
                                    int64_t *ret_version)
{
    int64_t version = 0;
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = store_end(store, succeed(store, run, metrics, count, result, now, &version));
    if (status == STORE_OK)
        *ret_version = version;
    return status;
}

static enum store_status end_unsuccessfully(struct store *store, int64_t run,
                                            const struct epoch_metrics *metrics, size_t count,
                                            const struct run_end *end)
{
    int64_t model;
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = find_running(store, run, &model);
    if (status == STORE_OK)
        status = insert_metrics(store, run, metrics, count);
    if (status == STORE_OK)
        status = set_end(store, run, end);
    return store_end(store, status);
}

enum store_status store_run_fail(struct store *store, int64_t run,
                                 const struct epoch_metrics *metrics, size_t count,
                                 const char *code, const char *detail, int64_t now)
{
    const struct run_end end = {.state = RUN_FAILED, .code = code, .detail = detail, .now = now};
    return end_unsuccessfully(store, run, metrics, count, &end);
}

enum store_status store_run_cancelled(struct store *store, int64_t run,
                                      const struct epoch_metrics *metrics, size_t count,
                                      int64_t now)
{
    const struct run_end end = {.state = RUN_CANCELLED, .now = now};
    return end_unsuccessfully(store, run, metrics, count, &end);
}

static enum store_status cancel(struct store *store, int64_t run, int64_t now,
                                enum run_state *ret_state)
{
    struct query query = query_begin(
        store, "UPDATE runs SET cancel_requested = 1, finished_at = iif(state = 'queued', ?, NULL)"
               ", state = iif(state = 'queued', 'cancelled', state) "
               "WHERE id = ? AND state IN ('queued', 'running') RETURNING state");
    query_integer(&query, now);
    query_integer(&query, run);
    const enum store_status status = query_next(&query);
    if (status == STORE_OK) {
        *ret_state = state_of(&query, 0);
        query_end(&query);
    } else if (status == STORE_NOT_FOUND) {
        const enum store_status found = run_exists(store, run);
        return found == STORE_OK ? STORE_ENDED : found;
    }
    return status;
}

enum store_status store_run_cancel(struct store *store, int64_t run, int64_t now,
                                   enum run_state *ret_state)
{
    enum run_state state = RUN_QUEUED;
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = store_end(store, cancel(store, run, now, &state));
    if (status == STORE_OK)
        *ret_state = state;
    return status;
}
