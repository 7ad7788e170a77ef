#include "server/api/count_answers.h"

#include <stdlib.h>

#include "server/api/npy_answer.h"
#include "server/api/request_document.h"
#include "server/api/request_samples.h"
#include "server/api/ret_type.h"
#include "server/compute/count_prediction.h"
#include "server/model/count_json.h"
#include "server/model/count_work.h"
#include "server/model/errors.h"

/* What ret_type asks for, in the order of the answer. */
enum { RET_COUNT, RET_SPIKE_TIMES, RET_THRESHOLDS, RET_V, RET_TYPES };
static const char *const ret_type_names[] = {"count", "spike_times", "thresholds", "v", NULL};

enum { K_MAX_DEFAULT = 10 };

/* A request to predict. */
struct wish {
    bool wanted[RET_TYPES];
    struct samples samples;
    uint64_t work;
    struct count_prediction prediction;
};

/* --- reading --- */

static void read_k_max(struct fields *fields, uint32_t max_spikes, struct wish *wish)
{
    int64_t k_max = max_spikes < K_MAX_DEFAULT ? max_spikes : K_MAX_DEFAULT;
    const bool given = fields_integer(fields, "k_max", FIELD_OPTIONAL, 1, max_spikes, &k_max);
    if (wish->wanted[RET_THRESHOLDS])
        wish->prediction.k_max = (size_t)k_max;
    else if (given)
        problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, "/k_max",
                          "k_max belongs to the ret_type thresholds.");
}

static void read_ret_type(struct fields *fields, uint32_t max_spikes, struct wish *wish)
{
    static const char *const others[] = {"explain", NULL};
    if (!ret_type_read(fields, ret_type_names, wish->wanted))
        wish->wanted[RET_COUNT] = true;
    wish->prediction.wants_times = wish->wanted[RET_SPIKE_TIMES];
    wish->prediction.wants_v = wish->wanted[RET_V];
    read_k_max(fields, max_spikes, wish);
    counts_refuse(fields, others);
}

static uint64_t work_of(const struct model *model, const struct wish *wish)
{
    const struct tempotron_params *params = &model->config.network.tempotron;
    const size_t spikes = samples_spikes(&wish->samples, &model->config);
    uint64_t sample = count_work(params, model->config.max_spikes, spikes);
    if (wish->prediction.k_max > 0)
        sample += count_thresholds_work(params, wish->prediction.k_max, spikes);
    if (wish->prediction.wants_v)
        sample += count_voltages_work(params);
    return sample * wish->samples.count;
}

static void check_sizes(const struct model *model, struct wish *wish, struct problem *problem)
{
    const size_t count = wish->samples.count;
    if (count > LIMIT_ANSWER / count_prediction_size(model, &wish->prediction))
        problem_add_field(problem, PROBLEM_TOO_LARGE, "/ret_type",
                          "The answer may hold at most %d numbers, spike_times counted as "
                          "max_spikes: send fewer samples at once.",
                          LIMIT_ANSWER);
    wish->work = work_of(model, wish);
    if (wish->work > LIMIT_WORK)
        problem_add_field(problem, PROBLEM_TOO_LARGE,
                          wish->prediction.k_max > 0 ? "/k_max" : "/ret_type",
                          "This would take too long: ask for less, or send at most %llu samples "
                          "at once.",
                          LIMIT_WORK / (wish->work / count));
}

static bool read_wish(struct service *service, const struct request *request,
                      const struct document *document, const struct model *model,
                      struct reply *reply, struct wish *wish)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, &reply->problem))
        return false;
    const bool read = request_samples_read(service, request, &fields, model, SAMPLES_TO_PREDICT,
                                           reply, &wish->samples);
    read_ret_type(&fields, model->config.max_spikes, wish);
    fields_close(&fields);
    if (read && !problem_is_set(&reply->problem))
        check_sizes(model, wish, &reply->problem);
    return read && !problem_is_set(&reply->problem);
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
                             const struct wish *wish)
{
    const struct count_prediction *prediction = &wish->prediction;
    const size_t shape[] = {prediction->samples, prediction->outputs, prediction->T};
    write_head(json, model);
    if (wish->wanted[RET_COUNT]) {
        json_write_key(json, "count");
        write_counts(json, prediction);
    }
    if (wish->wanted[RET_SPIKE_TIMES]) {
        json_write_key(json, "spike_times");
        write_lists(json, prediction, prediction->times, prediction->max_spikes, prediction->count);
    }
    if (wish->wanted[RET_THRESHOLDS]) {
        json_write_key(json, "thresholds");
        write_lists(json, prediction, prediction->theta, prediction->k_max, NULL);
    }
    if (wish->wanted[RET_V]) {
        json_write_key(json, "v");
        json_write_float_array(json, prediction->v, shape, 3);
    }
    json_write_object_end(json);
}

static void answer_array(const struct wish *wish, struct reply *reply)
{
    const struct count_prediction *prediction = &wish->prediction;
    const size_t depth = wish->wanted[RET_V] ? prediction->T : prediction->k_max;
    const size_t shape[] = {prediction->samples, prediction->outputs, depth};
    if (wish->wanted[RET_COUNT])
        npy_answer(reply, DTYPE_I4, 2, shape, prediction->count);
    else if (wish->wanted[RET_THRESHOLDS])
        npy_answer(reply, DTYPE_F8, 3, shape, prediction->theta);
    else
        npy_answer(reply, DTYPE_F4, 3, shape, prediction->v);
}

/* Lists of spike times are no array. */
static void answer(const struct request *request, const struct model *model,
                   const struct wish *wish, struct reply *reply)
{
    unsigned arrays = wish->wanted[RET_SPIKE_TIMES] ? RET_TYPES : 0;
    for (unsigned i = 0; i < RET_TYPES; i++)
        arrays += wish->wanted[i];
    if (npy_is_wanted(request, arrays, reply)) {
        answer_array(wish, reply);
    } else {
        write_prediction(&reply->json, model, wish);
        reply_with(reply, 200);
    }
}

static bool predict(const struct model *model, const struct samples *samples,
                    const struct thread_team *team, struct problem *problem,
                    struct count_prediction *prediction)
{
    const struct sample_set set = samples_view(samples, model);
    return core_succeeded(count_predict(model, &set, team, prediction), problem);
}

void counts_predict(struct service *service, const struct request *request,
                    const struct model *model, struct reply *reply)
{
    struct wish wish = {0};
    struct document *document =
        request_document(request, samples_member(model), ARRAY_OF_SAMPLES, &reply->problem);
    if (document != NULL && read_wish(service, request, document, model, reply, &wish) &&
        !reply_defers(reply, request, wish.work) &&
        predict(model, &wish.samples, request->team, &reply->problem, &wish.prediction))
        answer(request, model, &wish, reply);
    count_prediction_finish(&wish.prediction);
    samples_finish(&wish.samples);
    document_destroy(document);
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
        const int64_t excess = (int64_t)prediction->count[i] - samples->wanted[i];
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

void counts_evaluate(struct service *service, const struct request *request,
                     const struct model *model, struct reply *reply)
{
    static const char *const others[] = {"loss", "beta", "margin_target", "margin_other", NULL};
    struct fields fields;
    struct samples samples = {0};
    struct count_prediction prediction = {0};
    struct document *document =
        request_document(request, samples_member(model), ARRAY_OF_SAMPLES, &reply->problem);
    if (document != NULL && fields_open_document(&fields, document, &reply->problem)) {
        const bool read = request_samples_read(service, request, &fields, model,
                                               SAMPLES_TO_EVALUATE, reply, &samples);
        counts_refuse(&fields, others);
        fields_close(&fields);
        if (read && !problem_is_set(&reply->problem) &&
            !reply_defers(reply, request, samples_work(&samples, &model->config)) &&
            predict(model, &samples, request->team, &reply->problem, &prediction))
            answer_evaluation(model, &samples, &prediction, reply);
    }
    count_prediction_finish(&prediction);
    samples_finish(&samples);
    document_destroy(document);
}
