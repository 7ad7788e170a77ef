/* Predictions: the forward pass over the samples of one request, and its several answers. */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "count_answers.h"
#include "encode_answer.h"
#include "explanation.h"
#include "handlers.h"
#include "npy_answer.h"
#include "registry.h"
#include "request_document.h"
#include "request_samples.h"
#include "ret_type.h"
#include "scratch.h"
#include "service.h"
#include "status_problem.h"

/* What ret_type asks for, in the order of the answer. */
enum { RET_LABEL, RET_V_MAX, RET_SCORE, RET_SPIKES, RET_V, RET_COUNT };
static const char *const ret_type_names[] = {"label", "v_max", "score", "spikes", "v", NULL};

/* How one decision came about. What the neurons of hidden layers contributed is traced through all
 * of their spikes, each worth two exponentials: about so many times the forward pass. */
enum { CONTRIBUTIONS = 10, PARTS_A_HAND = 4, TRACE_WORK = 40 };
struct decision {
    double t_max;  /* of the output decided for */
    size_t output; /* whose peak it is: of the class decided for, the greatest */
    double margin; /* how far the score is above the next class's, or where it is alone, v_threshold
                    */
    size_t count;
    struct contribution contributions[CONTRIBUTIONS];
};

struct prediction {
    bool wanted[RET_COUNT];
    bool explains;
    size_t count;
    size_t classes;
    size_t neurons; /* outputs */
    size_t T;
    int32_t *label;             /* [count]; -1: undecided */
    float *v_max;               /* [count][neurons] */
    float *score;               /* [count][classes]; NULL unless wanted */
    float *spikes;              /* [count][neurons]; -1: silent */
    float *v;                   /* [count][neurons][T]; NULL unless wanted */
    struct decision *decisions; /* [count]; NULL unless they are to be explained */
};

static void prediction_finish(struct prediction *prediction)
{
    free(prediction->label);
    free(prediction->v_max);
    free(prediction->score);
    free(prediction->spikes);
    free(prediction->v);
    free(prediction->decisions);
}

static bool prediction_init(struct prediction *prediction, const struct model *model, size_t count)
{
    const struct network_params *params = &model->config.network;
    const size_t neurons = params->tempotron.out_features, T = params->tempotron.T;
    prediction->count = count;
    prediction->classes = network_classes(params);
    prediction->neurons = neurons;
    prediction->T = T;
    prediction->label = malloc(count * sizeof *prediction->label);
    prediction->v_max = malloc(count * neurons * sizeof *prediction->v_max);
    prediction->spikes = malloc(count * neurons * sizeof *prediction->spikes);
    if (prediction->wanted[RET_SCORE])
        prediction->score = malloc(count * prediction->classes * sizeof *prediction->score);
    if (prediction->wanted[RET_V])
        prediction->v = malloc(count * neurons * T * sizeof *prediction->v);
    if (prediction->explains)
        prediction->decisions = calloc(count, sizeof *prediction->decisions);
    return prediction->label != NULL && prediction->v_max != NULL && prediction->spikes != NULL &&
           (prediction->score != NULL || !prediction->wanted[RET_SCORE]) &&
           (prediction->v != NULL || !prediction->wanted[RET_V]) &&
           (prediction->decisions != NULL || !prediction->explains);
}

/* --- reading --- */

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
    const struct tempotron_params *params = &model->config.network.tempotron;
    size_t numbers = params->out_features * (prediction->wanted[RET_V] ? params->T : 1);
    if (prediction->explains)
        numbers += 4 * CONTRIBUTIONS;
    if (samples->count > LIMIT_ANSWER / numbers)
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
    if (fields_has(&fields, "k_max"))
        problem_add_field(problem, PROBLEM_CONFLICTING_FIELDS, "/k_max",
                          "k_max is of models that read out spike_count.");
    fields_boolean(&fields, "explain", FIELD_OPTIONAL, &prediction->explains);
    fields_close(&fields);
    if (read)
        check_sizes(model, samples, prediction, pointer, problem);
    return read && !problem_is_set(problem);
}

/* --- computing --- */

static double margin_of(const struct network *network, const float *score, size_t decided)
{
    const size_t classes = network_classes(&network->params);
    double next = classes > 1 ? -INFINITY : network->params.tempotron.v_threshold;
    for (size_t k = 0; k < classes; k++)
        if (k != decided)
            next = fmax(next, (double)score[k]);
    return (double)score[decided] - next;
}

/* Of the neurons of a class the one with the greatest v_max. */
static size_t greatest_of_class(const struct network *network, const float *v_max, size_t class)
{
    const size_t group = network->params.read_out.neurons_per_class;
    return class * group + read_out_decide(v_max + class * group, group);
}

/* By all spikes, also those of features at rest. False: no memory. */
static bool explain_sample(const struct network *network, const struct sample_set *set,
                           size_t sample, struct activity *activity, size_t decided,
                           struct decision *decision)
{
    const struct layer_activity *last = &activity->layers[activity->depth - 1];
    struct sample_set whole = *set;
    whole.rest = NULL;
    sample_set_pattern(&whole, sample, activity_input(activity));
    decision->output = greatest_of_class(network, last->v_max, decided);
    decision->t_max = last->t_max[decision->output];
    decision->margin = margin_of(network, activity->score, decided);
    return network_explain(network, activity, decision->output, decision->contributions,
                           CONTRIBUTIONS, &decision->count) == CORE_OK;
}

/* False: no memory. */
static bool predict_sample(const struct network *network, const struct sample_set *set,
                           size_t sample, struct scratch *scratch, struct prediction *prediction)
{
    const size_t neurons = prediction->neurons, classes = prediction->classes;
    const float threshold = (float)network->params.tempotron.v_threshold;
    float *v = prediction->v == NULL ? NULL : prediction->v + sample * neurons * prediction->T;
    struct activity *activity = &scratch->activity;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    sample_set_pattern(set, sample, activity_input(activity));
    activity_forward(network, &scratch->membranes, activity, v);
    memcpy(prediction->v_max + sample * neurons, last->v_max, neurons * sizeof(float));
    if (prediction->score != NULL)
        memcpy(prediction->score + sample * classes, activity->score, classes * sizeof(float));
    for (size_t j = 0; j < neurons; j++)
        prediction->spikes[sample * neurons + j] =
            last->v_max[j] >= threshold ? (float)last->t_max[j] : -1;
    const bool decides = activity_decides(activity);
    const size_t label = read_out_decide(activity->score, classes);
    prediction->label[sample] = decides ? (int32_t)label : -1;
    return !decides || !prediction->explains ||
           explain_sample(network, set, sample, activity, label, &prediction->decisions[sample]);
}

/* The samples shared out to several hands. */
struct predicting {
    const struct model *model;
    const struct sample_set *set;
    struct prediction *prediction;
    size_t parts;
    atomic_bool failed; /* no memory */
};

static void predict_part(void *work, size_t part)
{
    struct predicting *predicting = work;
    const struct model *model = predicting->model;
    const struct sample_set *set = predicting->set;
    const size_t end = set->count * (part + 1) / predicting->parts;
    struct scratch *scratch = scratch_borrow(model->network, sample_set_capacity(set));
    bool done = scratch != NULL;
    for (size_t b = set->count * part / predicting->parts; done && b < end; b++)
        done = predict_sample(model->network, set, b, scratch, predicting->prediction);
    if (!done)
        atomic_store(&predicting->failed, true);
    scratch_return(scratch);
}

static bool predict(const struct model *model, const struct samples *samples,
                    const struct crew *crew, struct problem *problem, struct prediction *prediction)
{
    struct sample_set set = samples_view(samples, model);
    set.rest = model->rest;
    const size_t parts = crew != NULL ? PARTS_A_HAND * crew_size(crew) : 1;
    struct predicting predicting = {.model = model,
                                    .set = &set,
                                    .prediction = prediction,
                                    .parts = parts < set.count ? parts : set.count};
    if (!prediction_init(prediction, model, set.count))
        atomic_store(&predicting.failed, true);
    else
        crew_run(crew, predict_part, &predicting, predicting.parts);
    const bool failed = atomic_load(&predicting.failed);
    return core_succeeded(failed ? CORE_NO_MEMORY : CORE_OK, problem);
}

/* --- answering --- */

static void write_labels(struct json_writer *json, const struct prediction *prediction,
                         const struct labels *labels)
{
    json_write_array_begin(json);
    for (size_t b = 0; b < prediction->count; b++) {
        const int32_t label = prediction->label[b];
        if (label < 0)
            json_write_null(json);
        else if (labels->count > 0)
            json_write_string(json, labels->names[label]);
        else
            json_write_integer(json, label);
    }
    json_write_array_end(json);
}

static void write_contribution(struct json_writer *json, const struct model *model,
                               const struct contribution *contribution)
{
    json_write_object_begin(json);
    json_write_number(json, "afferent", (double)contribution->afferent);
    if (model->config.has_encoder) {
        const size_t neurons = encoder_neurons(&model->config.encoder);
        json_write_number(json, "feature", (double)(contribution->afferent / neurons));
        json_write_number(json, "neuron", (double)(contribution->afferent % neurons));
    }
    json_write_key(json, "potential");
    json_write_float(json, (float)contribution->potential);
    json_write_object_end(json);
}

static void write_decisions(struct json_writer *json, const struct model *model,
                            const struct prediction *prediction)
{
    json_write_array_begin(json);
    for (size_t b = 0; b < prediction->count; b++) {
        const struct decision *decision = &prediction->decisions[b];
        if (prediction->label[b] < 0) {
            json_write_null(json);
            continue;
        }
        json_write_object_begin(json);
        json_write_number(json, "output", (double)decision->output);
        json_write_key(json, "t_max");
        json_write_float(json, (float)decision->t_max);
        json_write_key(json, "margin");
        json_write_float(json, (float)decision->margin);
        json_write_key(json, "contributions");
        json_write_array_begin(json);
        for (size_t i = 0; i < decision->count; i++)
            write_contribution(json, model, &decision->contributions[i]);
        json_write_array_end(json);
        json_write_object_end(json);
    }
    json_write_array_end(json);
}

static void write_prediction(struct json_writer *json, const struct model *model,
                             const struct prediction *prediction)
{
    const size_t shape[] = {prediction->count, prediction->neurons, prediction->T};
    json_write_object_begin(json);
    json_write_key(json, "model");
    json_write_string(json, model->id);
    json_write_key(json, "version");
    json_write_integer(json, model->version);
    if (prediction->wanted[RET_LABEL]) {
        json_write_key(json, "label");
        write_labels(json, prediction, &model->labels);
    }
    if (prediction->wanted[RET_V_MAX]) {
        json_write_key(json, "v_max");
        json_write_float_array(json, prediction->v_max, shape, 2);
    }
    if (prediction->wanted[RET_SCORE]) {
        const size_t score_shape[] = {prediction->count, prediction->classes};
        json_write_key(json, "score");
        json_write_float_array(json, prediction->score, score_shape, 2);
    }
    if (prediction->wanted[RET_SPIKES]) {
        json_write_key(json, "spikes");
        if (model->config.network.tempotron.clock == CLOCK_GRID)
            json_write_spike_array(json, prediction->spikes, shape, 2);
        else
            json_write_float_array(json, prediction->spikes, shape, 2);
    }
    if (prediction->wanted[RET_V]) {
        json_write_key(json, "v");
        json_write_float_array(json, prediction->v, shape, 3);
    }
    if (prediction->explains) {
        json_write_key(json, "explain");
        write_decisions(json, model, prediction);
    }
    json_write_object_end(json);
}

/* The one array that is wanted; classes are numbers here, -1: undecided. */
static void answer_array(const struct prediction *prediction, struct reply *reply)
{
    const size_t neurons[] = {prediction->count, prediction->neurons, prediction->T};
    const size_t classes[] = {prediction->count, prediction->classes};
    if (prediction->wanted[RET_LABEL])
        npy_answer(reply, DTYPE_I4, 1, classes, prediction->label);
    else if (prediction->wanted[RET_V_MAX])
        npy_answer(reply, DTYPE_F4, 2, neurons, prediction->v_max);
    else if (prediction->wanted[RET_SCORE])
        npy_answer(reply, DTYPE_F4, 2, classes, prediction->score);
    else if (prediction->wanted[RET_SPIKES])
        npy_answer(reply, DTYPE_F4, 2, neurons, prediction->spikes);
    else
        npy_answer(reply, DTYPE_F4, 3, neurons, prediction->v);
}

static void answer(const struct request *request, const struct model *model,
                   const struct prediction *prediction, struct reply *reply)
{
    unsigned arrays = prediction->explains ? 2 : 0;
    for (unsigned i = 0; i < RET_COUNT; i++)
        arrays += prediction->wanted[i];
    if (npy_is_wanted(request, arrays, reply)) {
        answer_array(prediction, reply);
    } else {
        write_prediction(&reply->json, model, prediction);
        reply_with(reply, 200);
    }
}

/* The model of the path, and its version where the path names one. */
static struct model *requested_model(struct service *service, const struct request *request,
                                     struct problem *problem)
{
    struct model *model = NULL, *described;
    enum store_status status =
        registry_get(service->registry, request->model, request->version, &model);
    if (status == STORE_NOT_FOUND && request->version != 0 &&
        registry_describe(service->registry, request->model, &described) == STORE_OK) {
        model_release(described);
        store_succeeded(status, PROBLEM_VERSION_NOT_FOUND, "such version of the model", problem);
    }
    store_succeeded(status, PROBLEM_MODEL_NOT_FOUND, request->model, problem);
    return model;
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
        predict(model, &samples, request->crew, &reply->problem, &prediction))
        answer(request, model, &prediction, reply);
    prediction_finish(&prediction);
    samples_finish(&samples);
    document_destroy(document);
}

void model_predict(struct service *service, const struct request *request, struct reply *reply)
{
    struct model *model = requested_model(service, request, &reply->problem);
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
    struct model *model = requested_model(service, request, &reply->problem);
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
