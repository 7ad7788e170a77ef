#include "server/api/count_answers.h"

#include <stdlib.h>

#include "server/api/answer.h"
#include "server/api/request_document.h"
#include "server/api/request_samples.h"
#include "server/compute/count_prediction.h"
#include "server/model/count_json.h"
#include "server/model/errors.h"

/* What ret_type asks for, in the order of the answer. */
enum { RET_COUNT, RET_SPIKE_TIMES, RET_THRESHOLDS, RET_V, RET_TYPES };
static const char *const ret_type_names[] = {"count", "spike_times", "thresholds", "v", NULL};

enum { K_MAX_DEFAULT = 10 };

/* A predict or evaluate request between its steps. */
struct count_request {
    struct model *model; /* owned */
    struct request_samples input;
    bool wanted[RET_TYPES];             /* of a predict request */
    struct count_prediction prediction; /* what is wanted of it; filled by the second step */
};

static void count_request_finish(void *state)
{
    struct count_request *asked = state;
    count_prediction_finish(&asked->prediction);
    request_samples_finish(&asked->input);
    model_release(asked->model);
}

/* --- reading --- */

static void read_k_max(struct fields *fields, uint32_t max_spikes, struct count_request *asked)
{
    int64_t k_max = max_spikes < K_MAX_DEFAULT ? max_spikes : K_MAX_DEFAULT;
    const bool given = fields_integer(fields, "k_max", FIELD_OPTIONAL, 1, max_spikes, &k_max);
    if (asked->wanted[RET_THRESHOLDS])
        asked->prediction.k_max = (size_t)k_max;
    else if (given)
        problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, "/k_max",
                          "k_max belongs to the ret_type thresholds.");
}

static void read_ret_type(struct fields *fields, uint32_t max_spikes, struct count_request *asked)
{
    static const char *const others[] = {"explain", NULL};
    if (!answer_read_ret_type(fields, ret_type_names, asked->wanted))
        asked->wanted[RET_COUNT] = true;
    asked->prediction.wants_times = asked->wanted[RET_SPIKE_TIMES];
    asked->prediction.wants_v = asked->wanted[RET_V];
    read_k_max(fields, max_spikes, asked);
    counts_refuse(fields, others);
}

static uint64_t work_of(const struct count_request *asked)
{
    const struct model_config *config = &asked->model->config;
    const struct tempotron_params *params = &config->network.tempotron;
    const size_t spikes = samples_spikes(&asked->input.samples, config);
    uint64_t sample = network_work(&config->network, spikes);
    if (asked->prediction.k_max > 0)
        sample += spike_count_read_out_thresholds_work(params, asked->prediction.k_max, spikes);
    if (asked->prediction.wants_v)
        sample += spike_count_read_out_voltages_work(params);
    return sample * asked->input.samples.count;
}

/* Whether the samples, which are loaded, are few enough. */
static bool check_sizes(const struct count_request *asked, struct problem *problem)
{
    const size_t count = asked->input.samples.count;
    const uint64_t work = work_of(asked);
    if (count > LIMIT_ANSWER / count_prediction_size(asked->model, &asked->prediction))
        problem_add_field(problem, PROBLEM_TOO_LARGE, "/ret_type",
                          "The answer may hold at most %d numbers, spike_times counted as "
                          "max_spikes: send fewer samples at once.",
                          LIMIT_ANSWER);
    if (work > LIMIT_WORK)
        problem_add_field(problem, PROBLEM_TOO_LARGE,
                          asked->prediction.k_max > 0 ? "/k_max" : "/ret_type",
                          "This would take too long: ask for less, or send at most %llu samples "
                          "at once.",
                          LIMIT_WORK / (work / count));
    return !problem_is_set(problem);
}

static void read_predict(struct service *service, const struct document *document,
                         struct problem *problem, struct count_request *asked)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    request_samples_read(service, &fields, asked->model, SAMPLES_TO_PREDICT, &asked->input);
    read_ret_type(&fields, asked->model->config.network.read_out.spike_count.max_spikes, asked);
    fields_close(&fields);
}

static void read_evaluate(struct service *service, const struct document *document,
                          struct problem *problem, struct count_request *asked)
{
    static const char *const others[] = {"loss", "beta", "margin_target", "margin_other", NULL};
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    request_samples_read(service, &fields, asked->model, SAMPLES_TO_EVALUATE, &asked->input);
    counts_refuse(&fields, others);
    fields_close(&fields);
}

/* Takes the model. NULL with the problem set. */
static struct count_request *
read_request(struct service *service, const struct request *request, struct model *take_model,
             void (*read_fields)(struct service *, const struct document *, struct problem *,
                                 struct count_request *),
             struct reply *reply)
{
    struct count_request *asked = reply_make_state(reply, sizeof *asked, count_request_finish);
    if (asked == NULL) {
        model_release(take_model);
        return NULL;
    }
    asked->model = take_model;
    struct document *document =
        request_document(request, samples_member(take_model), ARRAY_OF_SAMPLES, &reply->problem);
    if (document != NULL)
        read_fields(service, document, &reply->problem, asked);
    document_destroy(document);
    return problem_is_set(&reply->problem) ? NULL : asked;
}

/* --- answering --- */

static void write_counts(struct json_writer *json, const struct count_prediction *prediction)
{
    json_write_array_begin(json);
    for (size_t i = 0; i < prediction->samples * prediction->outputs; i++) {
        if (i % prediction->outputs == 0)
            json_write_array_begin(json);
        json_write_integer(json, prediction->count[i]);
        if ((i + 1) % prediction->outputs == 0)
            json_write_array_end(json);
    }
    json_write_array_end(json);
}

/* Of each output of each sample a list: the first `count` of its `stride` numbers, or where the
 * counts are NULL all of them. */
static void write_lists(struct json_writer *json, const struct count_prediction *prediction,
                        const double *numbers, size_t stride, const int32_t *count)
{
    json_write_array_begin(json);
    for (size_t i = 0; i < prediction->samples * prediction->outputs; i++) {
        const size_t length = count != NULL ? (size_t)count[i] : stride;
        if (i % prediction->outputs == 0)
            json_write_array_begin(json);
        json_write_array_begin(json);
        for (size_t k = 0; k < length; k++)
            json_write_double(json, numbers[i * stride + k]);
        json_write_array_end(json);
        if ((i + 1) % prediction->outputs == 0)
            json_write_array_end(json);
    }
    json_write_array_end(json);
}

static void write_head(struct json_writer *json, const struct model *model)
{
    json_write_object_begin(json);
    json_write_key(json, "model");
    json_write_string(json, model->id);
    json_write_key(json, "version");
    json_write_integer(json, model->version);
}

static void write_prediction(struct json_writer *json, const struct model *model,
                             const struct count_request *asked)
{
    const struct count_prediction *prediction = &asked->prediction;
    const size_t shape[] = {prediction->samples, prediction->outputs, prediction->T};
    write_head(json, model);
    if (asked->wanted[RET_COUNT]) {
        json_write_key(json, "count");
        write_counts(json, prediction);
    }
    if (asked->wanted[RET_SPIKE_TIMES]) {
        json_write_key(json, "spike_times");
        write_lists(json, prediction, prediction->times, prediction->max_spikes, prediction->count);
    }
    if (asked->wanted[RET_THRESHOLDS]) {
        json_write_key(json, "thresholds");
        write_lists(json, prediction, prediction->theta, prediction->k_max, NULL);
    }
    if (asked->wanted[RET_V]) {
        json_write_key(json, "v");
        json_write_float_array(json, prediction->v, shape, 3);
    }
    json_write_object_end(json);
}

static void answer_array(const struct count_request *asked, struct reply *reply)
{
    const struct count_prediction *prediction = &asked->prediction;
    const size_t depth = asked->wanted[RET_V] ? prediction->T : prediction->k_max;
    const size_t shape[] = {prediction->samples, prediction->outputs, depth};
    if (asked->wanted[RET_COUNT])
        answer_npy(reply, DTYPE_I4, 2, shape, prediction->count);
    else if (asked->wanted[RET_THRESHOLDS])
        answer_npy(reply, DTYPE_F8, 3, shape, prediction->theta);
    else
        answer_npy(reply, DTYPE_F4, 3, shape, prediction->v);
}

/* Lists of spike times are no array. */
static void answer(const struct request *request, const struct model *model,
                   const struct count_request *asked, struct reply *reply)
{
    unsigned arrays = asked->wanted[RET_SPIKE_TIMES] ? RET_TYPES : 0;
    for (unsigned i = 0; i < RET_TYPES; i++)
        arrays += asked->wanted[i];
    if (answer_wants_npy(request, arrays, reply)) {
        answer_array(asked, reply);
    } else {
        write_prediction(&reply->json, model, asked);
        reply_with(reply, 200);
    }
}

static bool predict(struct count_request *asked, const struct thread_team *team,
                    struct problem *problem)
{
    return errors_core_ok(
        count_predict(asked->model, &asked->input.samples, team, &asked->prediction), problem);
}

static void predict_run(struct service *service, const struct request *request, struct reply *reply)
{
    struct count_request *asked = request->state;
    struct problem *problem = &reply->problem;
    if (request_samples_load(service, asked->model, SAMPLES_TO_PREDICT, problem, &asked->input) &&
        check_sizes(asked, problem) && predict(asked, request->team, problem))
        answer(request, asked->model, asked, reply);
}

void counts_predict(struct service *service, const struct request *request,
                    struct model *take_model, struct reply *reply)
{
    const struct count_request *asked =
        read_request(service, request, take_model, read_predict, reply);
    if (asked == NULL)
        return;
    if (!request_samples_are_loaded(&asked->input))
        reply_continue(reply, predict_run, WORK_FOR_POOL);
    else if (check_sizes(asked, &reply->problem))
        reply_continue(reply, predict_run, work_of(asked));
}

/* --- evaluation --- */

/* The means of what training lowers and raises; see count_training.h. */
static void answer_evaluation(const struct model *model, const struct samples *samples,
                              const struct count_prediction *prediction, struct reply *reply)
{
    struct json_writer *json = &reply->json;
    const size_t counts = prediction->samples * prediction->outputs;
    uint64_t error = 0, correct = 0;
    for (size_t i = 0; i < counts; i++) {
        const int64_t excess = (int64_t)prediction->count[i] - samples->targets.wanted[i];
        error += (uint64_t)(excess < 0 ? -excess : excess);
        correct += excess == 0;
    }
    write_head(json, model);
    json_write_key(json, "count");
    json_write_integer(json, (int64_t)prediction->samples);
    json_write_number(json, "loss", (double)error / (double)counts);
    json_write_number(json, "accuracy", (double)correct / (double)counts);
    json_write_object_end(json);
    reply_with(reply, 200);
}

static void evaluate_run(struct service *service, const struct request *request,
                         struct reply *reply)
{
    struct count_request *asked = request->state;
    if (request_samples_load(service, asked->model, SAMPLES_TO_EVALUATE, &reply->problem,
                             &asked->input) &&
        predict(asked, request->team, &reply->problem))
        answer_evaluation(asked->model, &asked->input.samples, &asked->prediction, reply);
}

void counts_evaluate(struct service *service, const struct request *request,
                     struct model *take_model, struct reply *reply)
{
    const struct count_request *asked =
        read_request(service, request, take_model, read_evaluate, reply);
    if (asked != NULL)
        reply_continue(reply, evaluate_run,
                       request_samples_are_loaded(&asked->input)
                           ? samples_work(&asked->input.samples, &take_model->config)
                           : WORK_FOR_POOL);
}
