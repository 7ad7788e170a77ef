#include "server/model/samples_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"
#include "server/json/float_array.h"
#include "server/json/numbers.h"
#include "server/model/encoder_ranges.h"
#include "server/model/spike_trains_json.h"
#include "server/model/targets_json.h"

static void add_error(const struct fields *fields, const char *name, enum problem_code code,
                      const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, code, pointer, "%s", detail);
}

/* Which of x and in_spikes is given: exactly one must be. */
static bool choose_kind(struct fields *fields, const struct model *model, enum samples_use use,
                        enum samples_kind *kind)
{
    const bool x = fields_is_given(fields, "x");
    const bool in_spikes = fields_is_given(fields, "in_spikes");
    if (x && in_spikes)
        add_error(fields, "in_spikes", PROBLEM_CONFLICTING_FIELDS,
                  "Give either x or in_spikes, not both.");
    else if (x && !model->config.has_encoder)
        add_error(fields, "x", PROBLEM_CONFLICTING_FIELDS,
                  "The model has no encoder: give its samples as in_spikes.");
    else if (!x && !in_spikes)
        add_error(fields, model->config.has_encoder ? "x" : "in_spikes", PROBLEM_MISSING_FIELD,
                  "The samples are missing.");
    else {
        *kind = x ? SAMPLES_VALUES : SAMPLES_SPIKE_TIMES;
        return !x || model_encoder_is_usable(model, use == SAMPLES_TO_FIT, fields->problem);
    }
    return false;
}

/* A run keeps a row of outputs for every spike of a sample. */
static bool check_spikes(struct samples *samples, size_t outputs, const char *pointer,
                         struct problem *problem)
{
    char sample_pointer[PROBLEM_POINTER];
    const size_t *first = samples->data.trains.first;
    for (size_t b = 0; b < samples->count; b++) {
        if (first[b + 1] - first[b] <= LIMIT_VOLTAGES / outputs)
            continue;
        problem_pointer_index(pointer, b, sample_pointer);
        problem_add_field(problem, PROBLEM_TOO_LARGE, sample_pointer,
                          "A sample's spikes times out_features must be at most %d.",
                          LIMIT_VOLTAGES);
        samples_finish(samples);
        return false;
    }
    return true;
}

/* Whether the forward pass over that many samples is short enough; only the document is looked at.
 */
static bool check_work(const struct numbers *values, const struct model_config *config,
                       const char *pointer, struct problem *problem)
{
    const size_t count = values->shape[0];
    if (count == 0) /* whatever takes them refuses that */
        return true;
    const size_t trains = spike_trains_are_given(values) ? values->count / count : 0;
    const size_t spikes = config->network.tempotron.in_features + trains;
    const unsigned long long sample = network_work(&config->network, spikes);
    if (count <= LIMIT_WORK / sample)
        return true;
    if (config->network.read_out.kind == READ_OUT_SPIKE_COUNT)
        problem_add_field(problem, PROBLEM_TOO_LARGE, pointer,
                          "To count the spikes of so many would take too long: send at most %llu "
                          "samples at once.",
                          LIMIT_WORK / sample);
    else
        problem_add_field(
            problem, PROBLEM_TOO_LARGE, pointer,
            "batch * (T + in_features) * out_features (of every layer, with the mean of the spikes "
            "where there are trains) must be at most %llu: send at most %llu samples at once.",
            LIMIT_WORK, LIMIT_WORK / sample);
    return false;
}

static bool check_features(size_t features, size_t expected, const char *pointer,
                           struct problem *problem)
{
    if (features != expected)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                          "Each sample must have %zu numbers, but these have %zu.", expected,
                          features);
    return features == expected;
}

/* An array of bytes is kept as it is. */
static bool read_bytes(const struct numbers *numbers, struct problem *problem,
                       struct samples *samples)
{
    uint8_t *bytes = malloc(numbers->count);
    if (bytes == NULL)
        return problem_set_no_memory(problem);
    memcpy(bytes, numbers->bytes, numbers->count);
    samples->kind = SAMPLES_BYTES;
    samples->count = numbers->shape[0];
    samples->features = numbers->shape[1];
    samples->data.bytes = bytes;
    return true;
}

/* One number for each feature, or afferent. */
static bool read_rectangle(struct fields *fields, const struct model *model, const char *name,
                           struct samples *samples)
{
    char pointer[PROBLEM_POINTER];
    struct float_array array;
    const bool is_x = samples->kind == SAMPLES_VALUES;
    const size_t features = is_x ? encoder_features(&model->config.encoder)
                                 : model->config.network.tempotron.in_features;
    const struct numbers *numbers = fields_numbers(fields, name);
    fields_pointer(fields, name, pointer);
    if (is_x && encoding_takes_bytes(&model->encoding) && numbers != NULL &&
        numbers->bytes != NULL && numbers->rank == 2)
        return check_features(numbers->shape[1], features, pointer, fields->problem) &&
               read_bytes(numbers, fields->problem, samples);
    /* What is three deep and comes here is told of by its fault, the deepest one. */
    if (!float_array_read(fields, name, FIELD_REQUIRED, 2, is_x ? 2 : 3, SIZE_MAX, &array))
        return false;
    if (!check_features(array.shape[1], features, pointer, fields->problem)) {
        float_array_finish(&array);
        return false;
    }
    samples->count = array.shape[0];
    samples->features = array.shape[1];
    samples->data.values = array.values;
    return true;
}

static bool read_values(struct fields *fields, const struct model *model, enum samples_use use,
                        struct samples *samples)
{
    char pointer[PROBLEM_POINTER];
    if (!choose_kind(fields, model, use, &samples->kind))
        return false;
    const char *name = samples->kind == SAMPLES_VALUES ? "x" : "in_spikes";
    const struct numbers *numbers = fields_numbers(fields, name);
    fields_pointer(fields, name, pointer);
    if (numbers != NULL && !samples_json_trains(use) &&
        !check_work(numbers, &model->config, pointer, fields->problem))
        return false;
    if (samples->kind == SAMPLES_SPIKE_TIMES && spike_trains_are_given(numbers)) {
        return spike_trains_read(numbers, pointer, model->config.network.tempotron.in_features,
                                 fields->problem, samples) &&
               check_spikes(samples, network_neurons(&model->config.network, 0), pointer,
                            fields->problem);
    }
    if (!read_rectangle(fields, model, name, samples))
        return false;
    if (samples_are_encoded(samples) && use != SAMPLES_TO_FIT &&
        !encoder_ranges_hold(&model->config.encoder, samples, pointer, true, fields->problem))
        return false;
    if (samples_json_trains(use) || samples_suit(samples, &model->encoding))
        return true;
    return problem_set_no_memory(fields->problem);
}

bool samples_json_read(struct fields *fields, const struct model *model, enum samples_use use,
                       struct samples *ret_samples)
{
    struct samples samples = {0};
    bool read = read_values(fields, model, use, &samples);
    if (use != SAMPLES_TO_PREDICT)
        read &= targets_json_read(fields, model, &samples); /* whatever else is wrong, to say all */
    if (!read) {
        samples_finish(&samples);
        return false;
    }
    *ret_samples = samples;
    return true;
}

const char *samples_json_member(const struct model *model)
{
    return model->config.has_encoder ? "x" : "in_spikes";
}

size_t samples_json_spikes(const struct samples *samples, const struct model_config *config)
{
    return config->network.tempotron.in_features + samples_mean_length(samples);
}

uint64_t samples_json_work(const struct samples *samples, const struct model_config *config)
{
    return samples->count * network_work(&config->network, samples_json_spikes(samples, config));
}
