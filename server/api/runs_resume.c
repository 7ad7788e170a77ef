/* POST /runs/{run}/resume: an ended run goes on for more epochs, as a new run. */
#include <stdlib.h>

#include "server/api/handlers.h"
#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/compute/run_params.h"
#include "server/compute/trainer.h"
#include "server/model/cache.h"
#include "server/model/errors.h"
#include "server/store/pool.h"
#include "server/store/queue.h"

static bool read_epochs(const struct request *request, struct problem *problem, int64_t *ret_epochs)
{
    struct fields fields;
    struct document *document =
        document_read(request->body, request->body_size, request->memory, problem);
    if (fields_open_document(&fields, document, problem)) {
        fields_integer(&fields, "epochs", FIELD_REQUIRED, 1, LIMIT_EPOCHS, ret_epochs);
        fields_close(&fields);
    }
    document_destroy(document);
    return !problem_is_set(problem);
}

/* --- the new run's parameters: those of the old one, for more epochs --- */

static bool read_params(const struct run_record *record, const struct model *model,
                        struct problem *problem, struct run_params *params)
{
    struct fields fields;
    struct problem damage = {0};
    struct document *document = document_read_stored(record->params, &damage);
    const bool read = fields_open_document(&fields, document, &damage) &&
                      run_params_read(&fields, &model->config, params);
    document_destroy(document);
    return errors_run_ok(errors_of_stored(read, &damage), record->id, problem);
}

static bool add_epochs(const struct run_record *record, int64_t more, struct problem *problem,
                       struct run_params *params)
{
    const int64_t epochs = record->epoch + more;
    params->training.loop.epochs = (size_t)epochs;
    if (epochs > LIMIT_EPOCHS)
        return problem_add_field(problem, PROBLEM_OUT_OF_RANGE, "/epochs",
                                 "With the %lld epochs that are done, there would be more than %d.",
                                 (long long)record->epoch, LIMIT_EPOCHS);
    if (run_params_kept_versions(params) > LIMIT_KEPT_VERSIONS)
        return problem_add_field(problem, PROBLEM_OUT_OF_RANGE, "/epochs",
                                 "The run would keep %zu versions; the limit is %d.",
                                 run_params_kept_versions(params), LIMIT_KEPT_VERSIONS);
    return true;
}

static char *write_params(const struct run_record *record, const struct model *model, int64_t more,
                          struct problem *problem, int64_t *ret_epochs)
{
    struct run_params params;
    struct buffer text = {0};
    if (!read_params(record, model, problem, &params) ||
        !add_epochs(record, more, problem, &params))
        return NULL;
    *ret_epochs = (int64_t)params.training.loop.epochs;
    run_params_write(&text, &model->config, &params);
    char *written = buffer_take_string(&text);
    if (written == NULL)
        problem_set_no_memory(problem);
    return written;
}

/* --- queueing --- */

static bool is_queued(enum store_status status, int64_t run, struct problem *problem)
{
    if (status == STORE_IN_USE)
        return problem_set(problem, PROBLEM_RUN_NOT_RESUMABLE,
                           "The run %lld is queued or running: cancel it or wait for its end.",
                           (long long)run);
    if (status == STORE_ENDED)
        return problem_set(problem, PROBLEM_RUN_NOT_RESUMABLE,
                           "Nothing is left of the run %lld to go on from: it has failed or never "
                           "begun, another run of the model has ended since, or one goes on from "
                           "it already.",
                           (long long)run);
    if (status == STORE_MISMATCH)
        return problem_set(problem, PROBLEM_RUN_NOT_RESUMABLE,
                           "A dataset of the run %lld has been replaced or deleted.",
                           (long long)run);
    return errors_run_ok(status, run, problem);
}

static bool has_lost_patience(const struct run_record *record, struct problem *problem)
{
    if (record->state != RUN_SUCCEEDED || record->epoch >= record->epochs)
        return false;
    problem_set(problem, PROBLEM_RUN_NOT_RESUMABLE,
                "The run %lld ended by its patience, as it would with more epochs.",
                (long long)record->id);
    return true;
}

static bool queue(struct service *service, const struct run_record *record, int64_t more,
                  struct problem *problem, struct queued_run *run)
{
    struct resumption resumption;
    struct model *model = model_cache_describe(service->cache, record->model, problem);
    if (model == NULL)
        return false;
    char *params = write_params(record, model, more, problem, &resumption.epochs);
    model_release(model);
    if (params == NULL)
        return false;
    resumption.params = params;
    struct store *store = store_pool_borrow_writer(service->stores);
    const enum store_status status =
        store_pool_return_writer(service->stores, store_queue_resume(store, record->id, &resumption,
                                                                     timestamp_now(), &run->id));
    free(params);
    return is_queued(status, record->id, problem);
}

static void keep_state(void *state)
{
    (void)state; /* it owns nothing */
}

void runs_resume(struct service *service, const struct request *request, struct reply *reply)
{
    int64_t more;
    struct run_record record;
    struct queued_run *run = reply_make_state(reply, sizeof *run, keep_state);
    if (run == NULL || !read_epochs(request, &reply->problem, &more) ||
        !errors_run_ok(runs_find(service, request->run, &record), request->run, &reply->problem))
        return;
    if (!has_lost_patience(&record, &reply->problem) &&
        queue(service, &record, more, &reply->problem, run)) {
        trainer_wake(service->trainer);
        runs_answer_queued(service, request, run, reply);
    }
    run_record_finish(&record);
}
