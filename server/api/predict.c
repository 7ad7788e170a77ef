/* Requests for predictions. */
#include "server/api/count_answers.h"
#include "server/api/encode_answer.h"
#include "server/api/handlers.h"
#include "server/api/prediction_json.h"
#include "server/api/request_document.h"
#include "server/api/request_model.h"
#include "server/api/request_samples.h"
#include "server/api/ret_type.h"
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

/* What the neurons of hidden layers contributed is traced through all of their spikes, each worth
 * two exponentials: about so many times the forward pass. */
enum { TRACE_WORK = 40 };

static uint64_t work_of(const struct model *model, const struct samples *samples,
                        const struct prediction *prediction)
{
    const struct network_params *params = &model->config.network;
    const uint64_t work = samples_work(samples, &model->config);
    return prediction->explains && params->hidden_count > 0 ? TRACE_WORK * work : work;
}

static void check_sizes(const struct model *model, const struct samples *samples,
                        const struct prediction *prediction, const char *pointer,
                        struct problem *problem)
{
    if (samples->count > LIMIT_ANSWER / prediction_size(model, prediction))
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "The answer may hold at most %d numbers: send fewer samples at once.",
                          LIMIT_ANSWER);
    const uint64_t work = work_of(model, samples, prediction);
    if (prediction->explains && work > LIMIT_WORK)
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "To explain so many samples takes too long: send at most %llu at once.",
                          LIMIT_WORK / (work / samples->count));
}

/* Of the member that holds the samples, or names them. */
static const char *samples_pointer(struct fields *fields)
{
    if (fields_has(fields, "dataset"))
        return "/dataset";
    return fields_has(fields, "in_spikes") ? "/in_spikes" : "/x";
}

static bool read_request(struct service *service, const struct request *request,
                         const struct document *document, const struct model *model,
                         struct reply *reply, struct samples *samples,
                         struct prediction *prediction)
{
    struct problem *problem = &reply->problem;
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return false;
    const bool read =
        request_samples_read(service, request, &fields, model, SAMPLES_TO_PREDICT, reply, samples);
    const char *pointer = samples_pointer(&fields);
    if (!ret_type_read(&fields, ret_type_names, prediction->wanted))
        prediction->wanted[RET_LABEL] = prediction->wanted[RET_V_MAX] = true;
    if (prediction->wanted[RET_HIDDEN_SPIKES] && model->config.network.hidden_count == 0)
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/ret_type",
                          "hidden_spikes is of models with hidden layers.");
    if (fields_has(&fields, "k_max"))
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/k_max",
                          "k_max is of models that read out spike_count.");
    fields_boolean(&fields, "explain", FIELD_OPTIONAL, &prediction->explains);
    fields_close(&fields);
    if (read)
        check_sizes(model, samples, prediction, pointer, problem);
    return read && !problem_is_set(problem);
}

static bool predict_samples(const struct model *model, const struct samples *samples,
                            const struct thread_team *team, struct problem *problem,
                            struct prediction *prediction)
{
    struct sample_set set = samples_view(samples, model);
    set.background = model->background;
    return core_succeeded(predict(model, &set, team, prediction), problem);
}

static void predict_v_max(struct service *service, const struct request *request,
                          const struct model *model, struct reply *reply)
{
    struct samples samples = {0};
    struct prediction prediction = {0};
    struct document *document =
        request_document(request, samples_member(model), ARRAY_OF_SAMPLES, &reply->problem);
    if (document != NULL &&
        read_request(service, request, document, model, reply, &samples, &prediction) &&
        !reply_defers(reply, request, work_of(model, &samples, &prediction)) &&
        predict_samples(model, &samples, request->team, &reply->problem, &prediction))
        prediction_answer(request, model, &prediction, reply);
    prediction_finish(&prediction);
    samples_finish(&samples);
    document_destroy(document);
}

void model_predict(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model = request_model(service, request, &reply->problem);
    if (model == NULL)
        return;
    switch (model->config.read_out) {
    case READ_OUT_V_MAX:
        predict_v_max(service, request, model, reply);
        break;
    case READ_OUT_SPIKE_COUNT:
        counts_predict(service, request, model, reply);
        break;
    }
    model_release(model);
}

static void encode_request(const struct document *document, const struct model *model,
                           const struct request *request, struct reply *reply)
{
    struct fields fields;
    struct float_array x;
    if (!fields_open_document(&fields, document, &reply->problem))
        return;
    const bool read = fields_float_array(&fields, "x", FIELD_REQUIRED, 2, 3, LIMIT_SPIKES, &x);
    fields_close(&fields);
    if (!read)
        return;
    encode_answer(&model->config.encoder, &x, request, reply);
    float_array_finish(&x);
}

void model_encode(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model = request_model(service, request, &reply->problem);
    if (model == NULL)
        return;
    struct document *document = request_document(request, "x", ARRAY_AS_IT_IS, &reply->problem);
    if (document != NULL && !model->config.has_encoder)
        problem_set(&reply->problem, PROBLEM_CONFLICTING_FIELDS, "The model has no encoder.");
    else if (document != NULL && encoder_is_usable(model, SAMPLES_TO_PREDICT, &reply->problem))
        encode_request(document, model, request, reply);
    document_destroy(document);
    model_release(model);
}
