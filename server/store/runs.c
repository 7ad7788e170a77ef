#include "server/store/runs.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/timestamp.h"
#include "server/store/checkpoints.h"
#include "server/store/query.h"

const char *const run_state_names[] = {
    [RUN_QUEUED] = "queued", [RUN_RUNNING] = "running",     [RUN_SUCCEEDED] = "succeeded",
    [RUN_FAILED] = "failed", [RUN_CANCELLED] = "cancelled", NULL};

void run_record_finish(struct run_record *record)
{
    free(record->params);
    free(record->error_detail);
    free(record->kept);
    *record = (struct run_record){0};
}

/* --- showing --- */

static enum store_status read_state(sqlite3_stmt *row, int column, void *ret_state)
{
    const char *name = (const char *)sqlite3_column_text(row, column);
    int state = 0;
    if (name == NULL)
        return sqlite3_column_type(row, column) == SQLITE_TEXT ? STORE_NO_MEMORY : STORE_CORRUPT;
    while (run_state_names[state] != NULL && strcmp(name, run_state_names[state]) != 0)
        state++;
    if (run_state_names[state] == NULL)
        return STORE_CORRUPT;
    *(enum run_state *)ret_state = (enum run_state)state;
    return STORE_OK;
}

static void finish_run(void *record)
{
    run_record_finish(record);
}

/* Covers what a run is asked for, which never changes. */
#define CHECKSUM_OF_RUN(of)                                                                        \
    "sha256(" of "model, " of "continues, " of "epochs, " of "params, " of "samples_sha256, " of   \
    "validation_sha256)"

enum store_status store_run_seal(struct store *store, int64_t run)
{
    struct query query =
        query_begin(store, "UPDATE runs SET row_sha256 = " CHECKSUM_OF_RUN("") " WHERE id = ?");
    query_integer(&query, run);
    return query_run(&query);
}

#define METRICS_COLUMNS(record, place)                                                             \
    QUERY_COLUMN("e.epoch", record, place epoch), QUERY_COLUMN("e.loss", record, place loss),      \
        QUERY_COLUMN("e.accuracy", record, place accuracy),                                        \
        QUERY_COLUMN("e.validation_loss", record, place validation_loss),                          \
        QUERY_COLUMN("e.validation_accuracy", record, place validation_accuracy)
#define COLUMN(sql, ...) QUERY_COLUMN(sql, run_record, __VA_ARGS__)
static const struct query_column run_columns[] = {
    COLUMN("r.id", id),
    COLUMN("m.id", model, .min = 1),
    {"r.state", .offset = offsetof(struct run_record, state), .read = read_state},
    COLUMN("r.cancel_requested", cancel_requested),
    COLUMN("r.continues", continues),
    COLUMN("r.base_version", base_version),
    COLUMN("r.version", version),
    COLUMN("r.epochs", epochs, .min = 1),
    COLUMN("r.memory", memory),
    COLUMN("r.params", params),
    COLUMN("r.error_code", error_code),
    COLUMN("r.error_detail", error_detail),
    COLUMN("r.samples_sha256", samples_sha256),
    COLUMN("r.validation_sha256", validation_sha256),
    COLUMN("d.id", dataset),
    COLUMN("v.id", validation_dataset),
    COLUMN("r.best_epoch", best_epoch),
    COLUMN("(SELECT nullif(json_group_array(json_object('epoch', epoch, 'version', version)), '[]')"
           " FROM versions WHERE run = r.id AND epoch IS NOT NULL)",
           kept),
    COLUMN("r.created_at", created_at, .max = TIMESTAMP_MAX),
    COLUMN("r.started_at", started_at, .max = TIMESTAMP_MAX),
    COLUMN("r.finished_at", finished_at, .max = TIMESTAMP_MAX),
    COLUMN("(SELECT max(epoch) FROM metrics WHERE run = r.id)", epoch),
    METRICS_COLUMNS(run_record, metrics.),
    QUERY_HOLDS("r.row_sha256 IS " CHECKSUM_OF_RUN("r.")),
    {0},
};
static const struct query_record runs = {sizeof(struct run_record), finish_run, run_columns,
                                         .lists_damaged = true};

static const struct query_column metrics_columns[] = {METRICS_COLUMNS(epoch_metrics, ), {0}};
static const struct query_record metrics_rows = {sizeof(struct epoch_metrics), NULL,
                                                 metrics_columns, .lists_damaged = true};

/* A run's metrics are those of its best epoch, or of its last one. */
#define OF_ANY_MODEL "FROM runs r JOIN models m ON m.sequence = r.model " RUN_JOINS
#define OF_ONE_MODEL "FROM models m LEFT JOIN runs r ON r.model = m.sequence "
#define RUN_JOINS                                                                                  \
    "LEFT JOIN datasets d ON d.sequence = r.dataset "                                              \
    "LEFT JOIN datasets v ON v.sequence = r.validation_dataset "                                   \
    "LEFT JOIN metrics e ON e.run = r.id "                                                         \
    "AND e.epoch = coalesce(r.best_epoch, (SELECT max(epoch) FROM metrics WHERE run = r.id)) "

enum store_status store_run_find(struct store *store, int64_t run, struct run_record *ret_record)
{
    struct query query = query_select(store, &runs, OF_ANY_MODEL "WHERE r.id = ?");
    query_integer(&query, run);
    return query_row(&query, ret_record);
}

/* One statement for each combination of filters, so that each walks an index. */
static const char *list_sql(bool has_model, bool has_state)
{
    if (has_model && has_state)
        return OF_ONE_MODEL "AND r.state = ?2 AND r.id < ?3 " RUN_JOINS
                            "WHERE m.id = ?1 ORDER BY r.id DESC LIMIT ?4";
    if (has_model)
        return OF_ONE_MODEL "AND r.id < ?2 " RUN_JOINS
                            "WHERE m.id = ?1 ORDER BY r.id DESC LIMIT ?3";
    if (has_state)
        return OF_ANY_MODEL "WHERE r.state = ? AND r.id < ? ORDER BY r.id DESC LIMIT ?";
    return OF_ANY_MODEL "WHERE r.id < ? ORDER BY r.id DESC LIMIT ?";
}

/* A model without any such run is one row of NULLs. */
enum store_status store_run_list(struct store *store, const char *model, int state, int64_t before,
                                 size_t limit, struct run_record *records, size_t *ret_count)
{
    struct query query = query_select(store, &runs, list_sql(model != NULL, state >= 0));
    if (model != NULL)
        query_text(&query, model);
    if (state >= 0)
        query_text(&query, run_state_names[state]);
    query_page(&query, before, limit);
    return model != NULL ? query_rows_of(&query, records, ret_count)
                         : query_rows(&query, records, ret_count);
}

/* A run without any such epoch is one row of NULLs. */
enum store_status store_run_metrics(struct store *store, int64_t run, int64_t after, size_t limit,
                                    struct epoch_metrics *metrics, size_t *ret_count)
{
    struct query query = query_select(store, &metrics_rows,
                                      "FROM runs r LEFT JOIN metrics e ON e.run = r.id AND e.epoch "
                                      "> ?2 WHERE r.id = ?1 ORDER BY e.epoch LIMIT ?3");
    query_integer(&query, run);
    query_integer(&query, after);
    query_integer(&query, (int64_t)limit);
    return query_rows_of(&query, metrics, ret_count);
}

/* --- training --- */

enum store_status store_run_add_metrics(struct store *store, int64_t run,
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
        status = store_run_add_metrics(store, run, metrics, count);
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

/* What a run could go on from when it was interrupted is not needed any more. */
static enum store_status keep_checkpoint(struct store *store, int64_t run,
                                         const struct checkpoint_end *checkpoint)
{
    if (checkpoint == NULL)
        return store_checkpoint_delete(store, run);
    const enum store_status status = store_checkpoint_put(store, run, checkpoint);
    return status == STORE_OK ? store_checkpoint_delete_older(store, run) : status;
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
        status = store_run_add_metrics(store, run, metrics, count);
    if (status == STORE_OK && end->state == RUN_SUCCEEDED)
        status = store_version_publish(store, model, run, end->tensors, now, &version);
    if (status == STORE_OK)
        status = set_end(store, run, end, version, now);
    if (status == STORE_OK)
        status = keep_checkpoint(store, run, end->checkpoint);
    return query_transaction_end(store, status);
}

/* --- what deleted runs leave --- */

/* Damage may have put down the number of a run that is there. */
#define REMOVED_RUNS                                                                               \
    "(SELECT run FROM removed_runs x WHERE NOT EXISTS (SELECT 1 FROM runs WHERE id = x.run) "      \
    "LIMIT " QUERY_SWEPT_ROWS ")"
#define SWEPT_METRICS "16384"

static enum store_status delete_some_metrics(struct store *store)
{
    struct query query = query_begin(
        store, "DELETE FROM metrics WHERE (run, epoch) IN (SELECT run, epoch FROM metrics WHERE "
               "run IN " REMOVED_RUNS " LIMIT " SWEPT_METRICS ")");
    return query_change(&query);
}

static enum store_status forget_runs(struct store *store)
{
    struct query query = query_begin(store, "DELETE FROM removed_runs WHERE run IN " REMOVED_RUNS);
    return query_change(&query);
}

/* The runs whose number is forgotten are those that have no metrics any more. */
enum store_status store_run_sweep(struct store *store)
{
    const enum store_status status = delete_some_metrics(store);
    return status == STORE_NOT_FOUND ? forget_runs(store) : status;
}
