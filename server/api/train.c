/* POST /models/{id}/train: checks the samples and parameters, and queues a run. */
#include <stdlib.h>
#include <string.h>

#include "server/api/handlers.h"
#include "server/api/request_retry.h"
#include "server/api/request_samples.h"
#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/compute/run_memory.h"
#include "server/compute/run_params.h"
#include "server/compute/trainer.h"
#include "server/model/cache.h"
#include "server/model/dataset_samples.h"
#include "server/model/errors.h"
#include "server/model/memory.h"
#include "server/store/datasets.h"
#include "server/store/pool.h"
#include "server/store/queue.h"
#include "server/store/samples.h"

/* A train request, and the run that it has become. */
struct train_request {
    struct queued_run run; /* once it is queued */
    struct run_params params;
    struct data_source training;
    struct data_source validation;
};

static void train_request_finish(void *state)
{
    struct train_request *asked = state;
    samples_finish(&asked->training.samples);
    samples_finish(&asked->validation.samples);
}

/* The most spikes of a sample, unless it has trains of them. */
static size_t max_spikes(const struct model *model)
{
    return model->config.has_encoder ? encoder_features(&model->config.encoder) * PATTERN_SLACK
                                     : model->config.network.tempotron.in_features;
}

/* The store reads them as one row, of which they are a copy. */
static void measure_samples(struct data_source *source)
{
    source->memory = 2 * samples_bytes(&source->samples);
    if (source->samples.kind == SAMPLES_SPIKE_TRAINS)
        source->capacity = samples_capacity(&source->samples, NULL);
}

static void read_source(struct service *service, struct fields *fields, const struct model *model,
                        bool fit, struct data_source *source)
{
    struct dataset_record dataset = {0};
    const enum samples_use use = fit ? SAMPLES_TO_FIT : SAMPLES_TO_TRAIN;
    source->capacity = max_spikes(model);
    if (!request_samples_find_dataset(service, fields, model, use, &dataset)) {
        if (samples_json_read(fields, model, use, &source->samples))
            measure_samples(source);
        return;
    }
    source->dataset = dataset.sequence;
    source->dataset_count = dataset.x.count;
    source->memory = dataset_samples_bytes(&dataset);
    memcpy(source->sha256, dataset.sha256, sizeof source->sha256);
    dataset_record_finish(&dataset);
}

/* --- what goes with what --- */

/* The run sets the share aside. */
static void check_fraction(const struct train_request *asked, struct problem *problem)
{
    const double fraction = asked->params.validation_fraction;
    const size_t count = data_source_count(&asked->training);
    if (fraction > 0 && run_params_validation_count(count, fraction) >= count)
        problem_add_field(problem, PROBLEM_OUT_OF_RANGE, "/validation_fraction",
                          "Nothing would be left of %zu samples to train on.", count);
}

static void read_validation(struct service *service, struct json_value given,
                            const struct model *model, struct problem *problem,
                            struct train_request *asked)
{
    struct fields fields;
    if (asked->params.validation_fraction > 0)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/validation_fraction",
                          "Give either validation or validation_fraction, not both.");
    if (!fields_open(&fields, given, "/validation", problem))
        return;
    read_source(service, &fields, model, asked->params.fit, &asked->validation);
    fields_close(&fields);
}

static void check_fit(const struct model *model, const struct data_source *training,
                      struct problem *problem)
{
    const bool has_spikes = training->samples.count > 0 && !samples_are_encoded(&training->samples);
    if (!model->config.has_encoder)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/fit",
                          "The model has no encoder to fit.");
    else if (has_spikes)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/fit",
                          "The encoder is fitted to x, but the samples are in_spikes.");
}

/* Images are moved before they are encoded. */
static void check_augmentation(const struct model *model, const struct data_source *training,
                               const struct augmentation *augmentation, struct problem *problem)
{
    const bool has_spikes = training->samples.count > 0 && !samples_are_encoded(&training->samples);
    if (!model->config.has_encoder || has_spikes)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/augment",
                          "augment needs x of a model with an encoder, not in_spikes.");
    else if (augmentation->height * augmentation->width != encoder_features(&model->config.encoder))
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/augment",
                          "height * width must equal the %zu features of a sample.",
                          encoder_features(&model->config.encoder));
}

static bool read_fields(struct service *service, const struct document *document,
                        const struct model *model, struct problem *problem,
                        struct train_request *asked)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return false;
    const bool fit = json_value_boolean(fields_get(&fields, "fit", FIELD_OPTIONAL));
    read_source(service, &fields, model, fit, &asked->training);
    const struct json_value validation = fields_get(&fields, "validation", FIELD_OPTIONAL);
    run_params_read(&fields, &model->config, &asked->params);
    fields_close(&fields);
    if (json_value_is_given(validation))
        read_validation(service, validation, model, problem, asked);
    if (asked->params.training.loop.patience > 0 && !json_value_is_given(validation) &&
        asked->params.validation_fraction == 0)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/patience",
                          "patience needs validation or validation_fraction.");
    if (asked->params.fit)
        check_fit(model, &asked->training, problem);
    if (asked->params.training.augmentation.shift > 0)
        check_augmentation(model, &asked->training, &asked->params.training.augmentation, problem);
    if (!problem_is_set(problem))
        check_fraction(asked, problem);
    return !problem_is_set(problem);
}

/* --- queueing --- */

static size_t memory_of(const struct service *service, const struct model *model,
                        const struct train_request *asked)
{
    const struct data_source *training = &asked->training, *validation = &asked->validation;
    return run_memory(&model->config, &asked->params,
                      &(struct run_set){.count = data_source_count(training),
                                        .bytes = training->memory,
                                        .capacity = training->capacity},
                      &(struct run_set){.count = data_source_count(validation),
                                        .bytes = validation->memory,
                                        .capacity = validation->capacity},
                      service->run_threads);
}

/* Before the writer is borrowed. A dataset has had its checksum since it was put. */
static void seal(struct data_source *source)
{
    if (source->samples.count > 0)
        store_samples_checksum(&source->samples, source->sha256);
}

/* A retry that came meanwhile has queued the run. */
static bool queue(struct service *service, const struct model *model, struct problem *problem,
                  struct retry *retry, struct train_request *asked)
{
    struct buffer text = {0};
    const size_t memory = memory_of(service, model, asked);
    if (!memory_fits_run(service->memory, memory, problem))
        return false;
    run_params_write(&text, &model->config, &asked->params);
    char *params = buffer_take_string(&text);
    if (params == NULL)
        return problem_set_no_memory(problem);
    seal(&asked->training);
    seal(&asked->validation);
    struct store *store = store_pool_borrow_writer(service->stores);
    enum store_status status = store_retry_begin(store, timestamp_now(), retry);
    if (status == STORE_OK)
        asked->run.id = retry->made;
    else if (status == STORE_NOT_FOUND)
        status = store_queue_insert(
            store, model->sequence, params, (int64_t)asked->params.training.loop.epochs, memory,
            &asked->training, &asked->validation, timestamp_now(), &asked->run.id);
    store_pool_return_writer(service->stores, status);
    free(params);
    if (status == STORE_MISMATCH)
        problem_add_field(problem, PROBLEM_UNKNOWN_VALUE, "/dataset",
                          "The dataset has just been replaced or deleted.");
    return errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, model->id, problem);
}

void train_post(struct service *service, const struct request *request, struct reply *reply)
{
    struct retry retry;
    struct train_request *asked = reply_make_state(reply, sizeof *asked, train_request_finish);
    if (asked == NULL)
        return;
    if (request_retry_is_repeated(service, request, &reply->problem, &retry)) {
        asked->run.id = retry.made;
        runs_answer_queued(service, request, &asked->run, reply);
        return;
    }
    if (problem_is_set(&reply->problem))
        return;
    struct model *model = model_cache_describe(service->cache, request->model, &reply->problem);
    if (model == NULL)
        return;
    struct document *document =
        document_read(request->body, request->body_size, request->memory, &reply->problem);
    if (read_fields(service, document, model, &reply->problem, asked) &&
        queue(service, model, &reply->problem, &retry, asked)) {
        trainer_wake(service->trainer);
        train_request_finish(asked); /* the samples are in the store, and a wait may be long */
        runs_answer_queued(service, request, &asked->run, reply);
    }
    document_destroy(document);
    model_release(model);
}
