/* Requests for predictions. */
#include "server/api/answer.h"
#include "server/api/count_answers.h"
#include "server/api/handlers.h"
#include "server/api/prediction_json.h"
#include "server/api/request_document.h"
#include "server/api/request_samples.h"
#include "server/compute/prediction.h"
#include "server/model/errors.h"

static const char *const ret_type_names[] = {
    [RET_LABEL] = "label",
    [RET_V_MAX] = "v_max",
    [RET_SCORE] = "score",
    [RET_SPIKES] = "spikes",
    [RET_HIDDEN_SPIKES] = "hidden_spikes",
    [RET_V] = "v",
    NULL,
};

/* A predict request between its steps. */
struct predict_request {
    struct model *model; /* owned */
    struct request_samples input;
    struct prediction prediction; /* what is wanted of it; filled by the second step */
};

static void predict_request_finish(void *state)
{
    struct predict_request *asked = state;
    prediction_finish(&asked->prediction);
    request_samples_finish(&asked->input);
    model_release(asked->model);
}

/* What the neurons of hidden layers contributed is traced through all of their spikes, each worth
 * two exponentials: about so many times the forward pass. */
enum { TRACE_WORK = 40 };

static bool traces(const struct predict_request *asked)
{
    return asked->prediction.explains && asked->model->config.network.hidden_count > 0;
}

static uint64_t work_of(const struct predict_request *asked)
{
    const uint64_t work = samples_work(&asked->input.samples, &asked->model->config);
    return traces(asked) ? TRACE_WORK * work : work;
}

/* Whether the samples, which are loaded, are few enough. */
static bool check_sizes(const struct predict_request *asked, struct problem *problem)
{
    const char *pointer = request_samples_pointer(&asked->input);
    const size_t count = asked->input.samples.count;
    const uint64_t work = work_of(asked);
    if (count > LIMIT_ANSWER / prediction_size(asked->model, &asked->prediction))
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "The answer may hold at most %d numbers: send fewer samples at once.",
                          LIMIT_ANSWER);
    if (asked->prediction.explains && work > LIMIT_WORK)
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "To explain so many samples takes too long: send at most %llu at once.",
                          LIMIT_WORK / (work / count));
    return !problem_is_set(problem);
}

static void read_fields(struct service *service, const struct document *document,
                        struct problem *problem, struct predict_request *asked)
{
    struct fields fields;
    const struct model *model = asked->model;
    struct prediction *prediction = &asked->prediction;
    if (!fields_open_document(&fields, document, problem))
        return;
    request_samples_read(service, &fields, model, SAMPLES_TO_PREDICT, &asked->input);
    if (!answer_read_ret_type(&fields, ret_type_names, prediction->wanted))
        prediction->wanted[RET_LABEL] = prediction->wanted[RET_V_MAX] = true;
    if (prediction->wanted[RET_HIDDEN_SPIKES] && model->config.network.hidden_count == 0)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/ret_type",
                          "hidden_spikes is of models with hidden layers.");
    if (fields_has(&fields, "k_max"))
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/k_max",
                          "k_max is of models that read out spike_count.");
    fields_boolean(&fields, "explain", FIELD_OPTIONAL, &prediction->explains);
    fields_close(&fields);
}

static void predict_run(struct service *service, const struct request *request, struct reply *reply)
{
    struct predict_request *asked = request->state;
    const struct model *model = asked->model;
    if (!request_samples_load(service, model, SAMPLES_TO_PREDICT, &reply->problem, &asked->input) ||
        !check_sizes(asked, &reply->problem))
        return;
    if (errors_core_ok(predict(model, &asked->input.samples, request->team, &asked->prediction),
                       &reply->problem))
        prediction_answer(request, model, &asked->prediction, reply);
}

/* Takes the model. */
static void predict_read(struct service *service, const struct request *request,
                         struct model *take_model, struct reply *reply)
{
    struct predict_request *asked = reply_make_state(reply, sizeof *asked, predict_request_finish);
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
    if (problem_is_set(&reply->problem))
        return;
    if (!request_samples_are_loaded(&asked->input))
        reply_continue(reply, predict_run, WORK_FOR_POOL);
    else if (check_sizes(asked, &reply->problem))
        reply_continue(reply, predict_run, work_of(asked));
}

void predict_post(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model = models_find(service, request, &reply->problem);
    if (model == NULL)
        return;
    switch (model->config.network.read_out.kind) {
    case READ_OUT_V_MAX:
        predict_read(service, request, model, reply);
        break;
    case READ_OUT_SPIKE_COUNT:
        counts_predict(service, request, model, reply);
        break;
    }
}
