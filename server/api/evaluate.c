/* Evaluation: loss, accuracy and confusion of a model on labelled samples. */
#include <stdlib.h>

#include "core/evaluation.h"
#include "server/api/count_answers.h"
#include "server/api/handlers.h"
#include "server/api/request_document.h"
#include "server/api/request_samples.h"
#include "server/compute/run_params.h"
#include "server/model/errors.h"

/* An evaluate request between its steps. */
struct evaluate_request {
    struct model *model; /* owned */
    struct request_samples input;
    struct loss loss;
};

static void evaluate_request_finish(void *state)
{
    struct evaluate_request *asked = state;
    request_samples_finish(&asked->input);
    model_release(asked->model);
}

static void write_confusion(struct json_writer *json, const uint64_t *confusion, size_t classes)
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

/* Of every class: what of its samples, and of those decided for it, was right. */
static void write_classes(struct json_writer *json, const struct model *model,
                          const uint64_t *confusion, const uint64_t *support)
{
    const size_t classes = network_outputs(&model->config.network);
    json_write_array_begin(json);
    for (size_t c = 0; c < classes; c++) {
        const struct class_metrics metrics = class_metrics(confusion, classes, c, support[c]);
        json_write_object_begin(json);
        json_write_key(json, "label");
        if (model->labels.count > 0)
            json_write_string(json, model->labels.names[c]);
        else
            json_write_integer(json, (int64_t)c);
        json_write_number(json, "support", (double)metrics.support);
        json_write_number(json, "precision", metrics.precision);
        json_write_number(json, "recall", metrics.recall);
        json_write_number(json, "f1", metrics.f1);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void answer(const struct evaluate_request *asked, const struct thread_team *team,
                   struct reply *reply)
{
    const struct model *model = asked->model;
    const struct samples *samples = &asked->input.samples;
    struct evaluation evaluation;
    struct json_writer *json = &reply->json;
    const size_t classes = network_outputs(&model->config.network);
    uint64_t *confusion = calloc((classes + 1) * classes, sizeof *confusion);
    uint64_t *support = NULL; /* [classes] behind it: samples of each class */
    enum core_status status = CORE_NO_MEMORY;
    if (confusion != NULL)
        support = confusion + classes * classes;
    for (size_t b = 0; support != NULL && b < samples->count; b++)
        support[samples->targets.label[b]]++;
    if (confusion != NULL)
        status = network_evaluate(model->network, samples, &model->encoding, &asked->loss, team,
                                  NULL, &evaluation, confusion);
    if (errors_core_ok(status, &reply->problem)) {
        json_write_object_begin(json);
        json_write_key(json, "model");
        json_write_string(json, model->id);
        json_write_key(json, "version");
        json_write_integer(json, model->version);
        json_write_key(json, "count");
        json_write_integer(json, (int64_t)samples->count);
        json_write_key(json, "undecided");
        json_write_integer(json, (int64_t)evaluation.undecided);
        json_write_key(json, "loss");
        json_write_double(json, evaluation.loss);
        json_write_key(json, "accuracy");
        json_write_double(json, evaluation.accuracy);
        json_write_key(json, "confusion");
        write_confusion(json, confusion, classes);
        json_write_key(json, "classes");
        write_classes(json, model, confusion, support);
        json_write_object_end(json);
        reply_with(reply, 200);
    }
    free(confusion);
}

static void check_classes(size_t classes, struct problem *problem)
{
    if (classes * classes > LIMIT_VOLTAGES)
        problem_set(problem, PROBLEM_TOO_LARGE, "The confusion matrix of %zu classes is too large.",
                    classes);
}

static void read_fields(struct service *service, const struct document *document,
                        struct problem *problem, struct evaluate_request *asked)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    check_classes(network_outputs(&asked->model->config.network), problem);
    request_samples_read(service, &fields, asked->model, SAMPLES_TO_EVALUATE, &asked->input);
    run_params_read_loss(&fields, &asked->model->config, &asked->loss);
    fields_close(&fields);
}

static void evaluate_run(struct service *service, const struct request *request,
                         struct reply *reply)
{
    struct evaluate_request *asked = request->state;
    if (request_samples_load(service, asked->model, SAMPLES_TO_EVALUATE, &reply->problem,
                             &asked->input))
        answer(asked, request->team, reply);
}

/* Takes the model. */
static void evaluate_read(struct service *service, const struct request *request,
                          struct model *take_model, struct reply *reply)
{
    struct evaluate_request *asked =
        reply_make_state(reply, sizeof *asked, evaluate_request_finish);
    if (asked == NULL) {
        model_release(take_model);
        return;
    }
    asked->model = take_model;
    struct document *document =
        request_document(request, samples_member(take_model), ARRAY_OF_SAMPLES, &reply->problem);
    if (document != NULL)
        read_fields(service, document, &reply->problem, asked);
    document_destroy(document);
    if (!problem_is_set(&reply->problem))
        reply_continue(reply, evaluate_run,
                       request_samples_are_loaded(&asked->input)
                           ? samples_work(&asked->input.samples, &take_model->config)
                           : WORK_FOR_POOL);
}

void evaluate_post(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model = models_find(service, request, &reply->problem);
    if (model == NULL)
        return;
    switch (model->config.network.read_out.kind) {
    case READ_OUT_V_MAX:
        evaluate_read(service, request, model, reply);
        break;
    case READ_OUT_SPIKE_COUNT:
        counts_evaluate(service, request, model, reply);
        break;
    }
}
