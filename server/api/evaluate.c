/* Evaluation: how well a model meets the targets of samples. */
#include <stdlib.h>

#include "core/evaluation.h"
#include "server/api/answer.h"
#include "server/api/handlers.h"
#include "server/api/request_samples.h"
#include "server/compute/run_params.h"
#include "server/model/errors.h"

/* An evaluate request between its steps. */
struct evaluate_request {
    struct request_samples input;
    struct loss loss;
};

static void evaluate_request_finish(void *state)
{
    struct evaluate_request *asked = state;
    request_samples_finish(&asked->input);
}

static void write_confusion(struct buffer *json, const uint64_t *confusion, size_t classes)
{
    json_write_array_begin(json);
    for (size_t row = 0; row < classes; row++) {
        json_write_array_begin(json);
        for (size_t column = 0; column < classes; column++)
            json_write_integer(json, (int64_t)confusion[row * classes + column]);
        json_write_array_end(json);
    }
    json_write_array_end(json);
}

/* For every class: which share of its samples, and of those decided for it, was right. */
static void write_classes(struct buffer *json, const struct model *model, const uint64_t *confusion)
{
    const size_t classes = network_outputs(&model->config.network);
    const uint64_t *support = confusion + classes * classes;
    json_write_array_begin(json);
    for (size_t c = 0; c < classes; c++) {
        const struct class_metrics metrics = class_metrics(confusion, classes, c, support[c]);
        json_write_object_begin(json);
        json_write_key(json, "label");
        answer_write_class(json, &model->labels, (int32_t)c);
        json_write_member_double(json, "support", (double)metrics.support);
        json_write_member_double(json, "precision", metrics.precision);
        json_write_member_double(json, "recall", metrics.recall);
        json_write_member_double(json, "f1", metrics.f1);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void answer(const struct evaluate_request *asked, const struct evaluation *evaluation,
                   const uint64_t *confusion, struct reply *reply)
{
    const struct model *model = asked->input.model;
    struct buffer *json = &reply->body;
    json_write_object_begin(json);
    answer_write_version(json, model->id, model->version);
    json_write_member_integer(json, "count", (int64_t)asked->input.samples.count);
    if (confusion != NULL)
        json_write_member_integer(json, "undecided", (int64_t)evaluation->undecided);
    json_write_member_double(json, "loss", evaluation->loss);
    json_write_member_double(json, "accuracy", evaluation->accuracy);
    if (confusion != NULL) {
        json_write_key(json, "confusion");
        write_confusion(json, confusion, network_outputs(&model->config.network));
        json_write_key(json, "classes");
        write_classes(json, model, confusion);
    }
    json_write_object_end(json);
}

static bool has_classes(const struct model *model)
{
    return read_out_targets(&model->config.network.read_out) == TARGETS_CLASS;
}

static void check_classes(const struct model *model, struct problem *problem)
{
    const size_t classes = network_outputs(&model->config.network);
    if (has_classes(model) && classes > LIMIT_CONFUSION)
        problem_set(problem, PROBLEM_TOO_LARGE,
                    "The model has %zu classes, but a confusion matrix may have at most %d.",
                    classes, LIMIT_CONFUSION);
}

static void read_fields(struct service *service, const struct document *document,
                        struct problem *problem, struct evaluate_request *asked)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    check_classes(asked->input.model, problem);
    request_samples_read(service, &fields, SAMPLES_TO_EVALUATE, &asked->input);
    run_params_read_loss(&fields, &asked->input.model->config, &asked->loss);
    fields_close(&fields);
}

/* confusion[classes][classes] and, after it, support[classes], the samples of each class; NULL:
 * there are no classes. */
static void evaluate(const struct evaluate_request *asked, const struct request *request,
                     uint64_t *confusion, struct reply *reply)
{
    const struct model *model = asked->input.model;
    const struct samples *samples = &asked->input.samples;
    const size_t classes = network_outputs(&model->config.network);
    struct evaluation evaluation;
    for (size_t b = 0; confusion != NULL && b < samples->count; b++)
        confusion[classes * classes + (size_t)samples->targets.label[b]]++;
    if (errors_core_ok(network_evaluate(model->network, samples, &model->encoding, &asked->loss,
                                        request->team, request->stop_check, &evaluation, confusion),
                       &reply->problem))
        answer(asked, &evaluation, confusion, reply);
}

static void evaluate_run(struct service *service, const struct request *request,
                         struct reply *reply)
{
    struct evaluate_request *asked = request->state;
    const size_t classes = network_outputs(&asked->input.model->config.network);
    uint64_t *confusion = NULL;
    (void)service;
    if (has_classes(asked->input.model))
        confusion = calloc((classes + 1) * classes, sizeof *confusion);
    if (has_classes(asked->input.model) && confusion == NULL)
        problem_set_no_memory(&reply->problem);
    else
        evaluate(asked, request, confusion, reply);
    free(confusion);
}

static uint64_t work_of(const struct request_samples *input)
{
    enum { AN_ENTRY = 8 }; /* of the confusion matrix, to be written */
    const struct model_config *config = &input->model->config;
    const uint64_t classes = has_classes(input->model) ? network_outputs(&config->network) : 0;
    return input->samples.count *
               network_work(&config->network, samples_json_spikes(&input->samples, config)) +
           AN_ENTRY * classes * classes;
}

/* The samples are those of a dataset. */
static void evaluate_load(struct service *service, const struct request *request,
                          struct reply *reply)
{
    struct evaluate_request *asked = request->state;
    if (request_samples_load(service, SAMPLES_TO_EVALUATE, &reply->problem, &asked->input))
        reply_continue(reply, evaluate_run, work_of(&asked->input));
}

void evaluate_post(struct service *service, const struct request *request, struct reply *reply)
{
    struct evaluate_request *asked =
        reply_make_state(reply, sizeof *asked, evaluate_request_finish);
    if (asked == NULL)
        return;
    struct document *document =
        request_samples_open(service, request, &reply->problem, &asked->input);
    read_fields(service, document, &reply->problem, asked);
    document_destroy(document);
    if (problem_is_set(&reply->problem))
        return;
    if (request_samples_are_loaded(&asked->input))
        reply_continue(reply, evaluate_run, work_of(&asked->input));
    else
        reply_continue(reply, evaluate_load, WORK_FOR_POOL);
}
