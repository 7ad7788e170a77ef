/* Requests for predictions. */
#include <stdio.h>
#include <string.h>

#include "server/api/answer.h"
#include "server/api/handlers.h"
#include "server/api/request_samples.h"
#include "server/model/errors.h"

/* A predict request between its steps. */
struct predict_request {
    struct request_samples input;
    struct prediction_options options;
    struct prediction prediction; /* filled by the second step */
};

static void predict_request_finish(void *state)
{
    struct predict_request *asked = state;
    prediction_finish(&asked->prediction);
    request_samples_finish(&asked->input);
}

/* --- sizes --- */

/* The member that is the cause of an answer that is too large, or takes too long. */
static const char *cause_of_size(const struct predict_request *asked, bool counts_spikes)
{
    if (counts_spikes)
        return "/ret_type";
    if (asked->input.dataset[0] != '\0')
        return "/dataset";
    return samples_are_encoded(&asked->input.samples) ? "/x" : "/in_spikes";
}

/* Whether the samples, which are loaded, are few enough; then how much work they are. */
static bool check_sizes(const struct predict_request *asked, struct problem *problem,
                        uint64_t *ret_work)
{
    const struct model_config *config = &asked->input.model->config;
    const bool counts_spikes = read_out_max_spikes(&config->network.read_out) > 0;
    const char *pointer = cause_of_size(asked, counts_spikes);
    const struct prediction_kind *kind = prediction_kind(&config->network.read_out);
    const size_t count = asked->input.samples.count;
    const size_t spikes = samples_json_spikes(&asked->input.samples, config);
    const uint64_t work = count * kind->work(config, &asked->options, spikes);
    if (count > LIMIT_ANSWER / kind->size(config, &asked->options))
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "The answer may hold at most %d numbers%s: send fewer samples at once.",
                          LIMIT_ANSWER, counts_spikes ? ", spike_times counted as max_spikes" : "");
    if (work > LIMIT_WORK)
        problem_add_field(problem, PROBLEM_TOO_LARGE, asked->options.k_max > 0 ? "/k_max" : pointer,
                          "This would take too long: ask for less, or send at most %llu samples "
                          "at once.",
                          LIMIT_WORK / (work / count));
    *ret_work = work;
    return !problem_is_set(problem);
}

/* --- reading --- */

static void refuse(const struct prediction_type *types, enum problem_code code, const char *pointer,
                   struct problem *problem)
{
    char list[PROBLEM_DETAIL] = "";
    for (size_t i = 0; types[i].name != NULL; i++) {
        const size_t size = strlen(list);
        snprintf(list + size, sizeof list - size, "%s\"%s\"", i > 0 ? ", " : "", types[i].name);
    }
    problem_add_field(problem, code, pointer, "ret_type is one or a list of %s.", list);
}

static bool want(struct json_value name, const struct prediction_type *types, const char *pointer,
                 struct problem *problem, bool *wanted)
{
    const bool is_string = json_value_kind(name) == JSON_KIND_STRING;
    for (size_t i = 0; is_string && types[i].name != NULL; i++) {
        if (strcmp(json_value_string(name), types[i].name) == 0) {
            wanted[i] = true;
            return true;
        }
    }
    refuse(types, is_string ? PROBLEM_UNKNOWN_VALUE : PROBLEM_WRONG_TYPE, pointer, problem);
    return false;
}

/* Reads the name of one of the types, or a list of names, and sets wanted[] of those; if none is
 * given, of the defaults. */
static void read_ret_type(struct fields *fields, const struct prediction_type *types, bool *wanted)
{
    char pointer[PROBLEM_POINTER];
    const struct json_value given = fields_get(fields, "ret_type", FIELD_OPTIONAL);
    if (!json_value_is_given(given)) {
        for (size_t i = 0; types[i].name != NULL; i++)
            wanted[i] = types[i].is_default;
        return;
    }
    if (json_value_kind(given) != JSON_KIND_ARRAY) {
        want(given, types, "/ret_type", fields->problem, wanted);
        return;
    }
    if (json_value_count(given) == 0)
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, "/ret_type", "The list is empty.");
    for (size_t i = 0; i < json_value_count(given); i++) {
        problem_pointer_index("/ret_type", i, pointer);
        if (!want(json_value_element(given, i), types, pointer, fields->problem, wanted))
            break;
    }
}

static void read_v_max_options(struct fields *fields, const struct network_params *params,
                               struct prediction_options *options)
{
    for (size_t i = 0; params->hidden_count == 0 && i < PREDICTION_TYPES; i++)
        if (options->wanted[i] &&
            prediction_kind(&params->read_out)->types[i].axes[0] == PREDICTION_HIDDEN)
            fields_refuse(fields, "ret_type", PROBLEM_CONFLICTING_FIELDS,
                          "hidden_spikes applies only to models with hidden layers");
    if (fields_has(fields, "k_max"))
        fields_refuse(fields, "k_max", PROBLEM_CONFLICTING_FIELDS,
                      "applies only to models with the read_out spike_count");
    fields_boolean(fields, "explain", FIELD_OPTIONAL, &options->explains);
}

static void read_spike_count_options(struct fields *fields, const struct read_out *read_out,
                                     struct prediction_options *options)
{
    enum { K_MAX_DEFAULT = 10 };
    const int64_t max_spikes = read_out->spike_count.max_spikes;
    const struct prediction_type *types = prediction_kind(read_out)->types;
    int64_t k_max = max_spikes < K_MAX_DEFAULT ? max_spikes : K_MAX_DEFAULT;
    const bool given = fields_integer(fields, "k_max", FIELD_OPTIONAL, 1, max_spikes, &k_max);
    for (size_t i = 0; types[i].name != NULL; i++)
        if (options->wanted[i] && types[i].axes[1] == PREDICTION_K)
            options->k_max = (size_t)k_max;
    if (given && options->k_max == 0)
        fields_refuse(fields, "k_max", PROBLEM_CONFLICTING_FIELDS,
                      "applies only to the ret_type thresholds");
    if (fields_has(fields, "explain"))
        fields_refuse(fields, "explain", PROBLEM_CONFLICTING_FIELDS,
                      "applies only to models with the read_out v_max");
}

static void read_fields(struct service *service, const struct document *document,
                        struct problem *problem, struct predict_request *asked)
{
    struct fields fields;
    if (!fields_open_document(&fields, document, problem))
        return;
    const struct network_params *params = &asked->input.model->config.network;
    request_samples_read(service, &fields, SAMPLES_TO_PREDICT, &asked->input);
    read_ret_type(&fields, prediction_kind(&params->read_out)->types, asked->options.wanted);
    switch (params->read_out.kind) {
    case READ_OUT_V_MAX:
        read_v_max_options(&fields, params, &asked->options);
        break;
    case READ_OUT_SPIKE_COUNT:
        read_spike_count_options(&fields, &params->read_out, &asked->options);
        break;
    }
    fields_close(&fields);
}

/* --- the steps --- */

static void predict_run(struct service *service, const struct request *request, struct reply *reply)
{
    (void)service;
    struct predict_request *asked = request->state;
    struct model *model = asked->input.model;
    const enum core_status status = predict(model, &asked->input.samples, &asked->options,
                                            request->team, request->stop_check, &asked->prediction);
    if (errors_core_ok(status, &reply->problem))
        answer_prediction(request, model, &asked->prediction, reply);
}

/* The samples are those of a dataset. */
static void predict_load(struct service *service, const struct request *request,
                         struct reply *reply)
{
    uint64_t work;
    struct predict_request *asked = request->state;
    if (request_samples_load(service, SAMPLES_TO_PREDICT, &reply->problem, &asked->input) &&
        check_sizes(asked, &reply->problem, &work))
        reply_continue(reply, predict_run, work);
}

void predict_post(struct service *service, const struct request *request, struct reply *reply)
{
    uint64_t work;
    struct predict_request *asked = reply_make_state(reply, sizeof *asked, predict_request_finish);
    if (asked == NULL)
        return;
    struct document *document =
        request_samples_open(service, request, &reply->problem, &asked->input);
    read_fields(service, document, &reply->problem, asked);
    document_destroy(document);
    if (problem_is_set(&reply->problem))
        return;
    if (!request_samples_are_loaded(&asked->input))
        reply_continue(reply, predict_load, WORK_FOR_POOL);
    else if (check_sizes(asked, &reply->problem, &work))
        reply_continue(reply, predict_run, work);
}
