/* POST /models/{id}/train: checks the samples and parameters, and queues a run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "random.h"
#include "registry.h"
#include "samples_json.h"
#include "service.h"
#include "status_problem.h"
#include "timestamp.h"
#include "trainer.h"
#include "training_json.h"

struct order {
    struct training_params params;
    double validation_fraction;
    struct samples training;
    struct samples validation; /* count 0: none */
};

static void order_finish(struct order *order)
{
    samples_finish(&order->training);
    samples_finish(&order->validation);
}

/* --- the validation set --- */

/* Sets a share of the samples, drawn by the run's seed, aside. */
static bool split(struct order *order, struct problem *problem)
{
    struct random random;
    struct samples rest = {0}, aside = {0};
    const struct samples *all = &order->training;
    const size_t count = all->count;
    const size_t drawn = (size_t)fmax(1, rint((double)count * order->validation_fraction));
    if (drawn >= count) {
        problem_add_field(problem, PROBLEM_OUT_OF_RANGE, "/validation_fraction",
                          "Nothing would be left of %zu samples to train on.", count);
        return false;
    }
    uint32_t *shuffled = malloc(count * sizeof *shuffled);
    if (shuffled == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        shuffled[i] = (uint32_t)i;
    random_init(&random, order->params.seed);
    random_shuffle(&random, shuffled, count);
    const bool made = samples_select(all, shuffled, drawn, &aside) &&
                      samples_select(all, shuffled + drawn, count - drawn, &rest);
    free(shuffled);
    if (!made) {
        samples_finish(&aside);
        problem_set_no_memory(problem);
        return false;
    }
    samples_finish(&order->training);
    order->training = rest;
    order->validation = aside;
    return true;
}

static void read_validation(const json_t *given, const struct model *model, struct problem *problem,
                            struct order *order)
{
    struct fields fields;
    if (order->validation_fraction > 0)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/validation_fraction",
                          "Give either validation or validation_fraction, not both.");
    if (!fields_open(&fields, given, "/validation", problem))
        return;
    samples_read(&fields, model, SAMPLES_TO_TRAIN, &order->validation);
    fields_close(&fields);
}

static bool read_order(const json_t *document, const struct model *model, struct problem *problem,
                       struct order *order)
{
    struct fields fields;
    if (!fields_open(&fields, document, "", problem))
        return false;
    samples_read(&fields, model, SAMPLES_TO_TRAIN, &order->training);
    const json_t *validation = fields_get(&fields, "validation", FIELD_OPTIONAL);
    training_params_read(&fields, model->config.params.v_threshold, &order->params,
                         &order->validation_fraction);
    fields_close(&fields);
    if (validation != NULL)
        read_validation(validation, model, problem, order);
    if (order->params.patience > 0 && validation == NULL && order->validation_fraction == 0)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/patience",
                          "patience needs validation or validation_fraction.");
    if (problem_is_set(problem))
        return false;
    return order->validation_fraction == 0 || split(order, problem);
}

/* --- queueing --- */

static enum store_status queue(struct service *service, int64_t model, const struct order *order,
                               int64_t *ret_run)
{
    struct json_writer json;
    json_writer_init(&json);
    training_params_write(&json, &order->params, order->validation_fraction);
    char *params = json_writer_take_string(&json);
    if (params == NULL)
        return STORE_NO_MEMORY;
    struct store *store = store_pool_borrow_writer(service->stores);
    const enum store_status status = store_run_insert(
        store, model, params, (int64_t)order->params.epochs, &order->training,
        order->validation.count > 0 ? &order->validation : NULL, timestamp_now(), ret_run);
    store_pool_note(service->stores, status);
    store_pool_return(service->stores, store);
    free(params);
    return status;
}

static bool has_ended(struct service *service, int64_t run)
{
    struct store *store;
    struct run_record record;
    if (store_pool_borrow_reader(service->stores, &store) != STORE_OK)
        return true;
    const enum store_status status = store_run_find(store, run, &record);
    store_pool_return(service->stores, store);
    if (status != STORE_OK)
        return true;
    const bool ended = record.state != RUN_QUEUED && record.state != RUN_RUNNING;
    run_record_finish(&record);
    return ended;
}

static void answer_run(struct service *service, int64_t run, unsigned status, struct reply *reply)
{
    snprintf(reply->location, sizeof reply->location, "/runs/%lld", (long long)run);
    run_write(service, run, status, reply);
}

static void finish_waiting(struct service *service, const struct request *request,
                           struct reply *reply)
{
    const int64_t run = request->parked_key;
    reply->waited_seconds = request->wait_seconds;
    answer_run(service, run, has_ended(service, run) ? 200 : 202, reply);
}

void model_train(struct service *service, const struct request *request, struct reply *reply)
{
    int64_t run;
    struct model *model;
    struct order order = {0};
    if (!store_succeeded(registry_describe(service->registry, request->model, &model),
                         PROBLEM_MODEL_NOT_FOUND, request->model, &reply->problem))
        return;
    json_t *document = json_document_parse(request->body, request->body_size, &reply->problem);
    if (document != NULL && read_order(document, model, &reply->problem, &order) &&
        store_succeeded(queue(service, model->sequence, &order, &run), PROBLEM_MODEL_NOT_FOUND,
                        model->id, &reply->problem)) {
        trainer_wake(service->trainer);
        if (request->prefers_wait && request->wait_seconds > 0)
            reply->park = (struct reply_park){.finish = finish_waiting,
                                              .is_over = has_ended,
                                              .key = run,
                                              .seconds = request->wait_seconds};
        else
            answer_run(service, run, 202, reply);
    }
    order_finish(&order);
    json_decref(document);
    model_release(model);
}
