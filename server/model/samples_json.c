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

struct reading {
    struct fields *fields;
    const struct model *model;
    enum samples_use use;
    const char *name; /* of the member with the samples */
    struct samples samples;
};

/* Which of x and in_spikes is given: exactly one must be. */
static bool choose_member(struct reading *reading)
{
    struct fields *fields = reading->fields;
    const bool has_encoder = reading->model->config.has_encoder;
    const bool x = fields_is_given(fields, "x"), in_spikes = fields_is_given(fields, "in_spikes");
    if (x && in_spikes)
        return fields_refuse(fields, "in_spikes", PROBLEM_CONFLICTING_FIELDS,
                             "Give either x or in_spikes, not both.");
    if (x && !has_encoder)
        return fields_refuse(fields, "x", PROBLEM_CONFLICTING_FIELDS,
                             "The model has no encoder: give its samples as in_spikes.");
    if (!x && !in_spikes)
        return fields_refuse(fields, samples_json_member(reading->model), PROBLEM_MISSING_FIELD,
                             "The samples are missing.");
    reading->name = x ? "x" : "in_spikes";
    reading->samples.kind = x ? SAMPLES_VALUES : SAMPLES_SPIKE_TIMES;
    return !x ||
           model_encoder_is_usable(reading->model, reading->use == SAMPLES_TO_FIT, fields->problem);
}

/* Whether the forward pass over that many samples is short enough; only the document is looked at.
 */
static bool check_work(const struct reading *reading, const struct numbers *values)
{
    const struct network_params *network = &reading->model->config.network;
    const size_t count = values->shape[0];
    if (count == 0) /* whatever takes them refuses that */
        return true;
    const size_t trains = spike_trains_are_given(values) ? values->count / count : 0;
    const unsigned long long sample =
        network_work(network, network->tempotron.in_features + trains);
    if (count <= LIMIT_WORK / sample)
        return true;
    if (read_out_max_spikes(&network->read_out) > 0)
        return fields_refuse(reading->fields, reading->name, PROBLEM_TOO_LARGE,
                             "To count the spikes of so many would take too long: send at most "
                             "%llu samples at once.",
                             LIMIT_WORK / sample);
    return fields_refuse(reading->fields, reading->name, PROBLEM_TOO_LARGE,
                         "batch * (T + in_features) * out_features (of every layer, with the mean "
                         "of the spikes if there are trains) must be at most %llu: send at most "
                         "%llu samples at once.",
                         LIMIT_WORK, LIMIT_WORK / sample);
}

/* A run keeps a row of outputs for every spike of a sample. */
static bool check_spikes(const struct reading *reading)
{
    const size_t *first = reading->samples.data.trains.first;
    const size_t max = LIMIT_VOLTAGES / network_neurons(&reading->model->config.network, 0);
    for (size_t b = 0; b < reading->samples.count; b++)
        if (first[b + 1] - first[b] > max)
            return fields_refuse_element(reading->fields, reading->name, &b, 1, PROBLEM_TOO_LARGE,
                                         "A sample's spikes times out_features must be at most %d.",
                                         LIMIT_VOLTAGES);
    return true;
}

static bool check_features(const struct reading *reading)
{
    const size_t features = reading->samples.features;
    const size_t expected = model_config_features(&reading->model->config);
    return features == expected ||
           fields_refuse(reading->fields, reading->name, PROBLEM_WRONG_SHAPE,
                         "Each sample must have %zu numbers, but these have %zu.", expected,
                         features);
}

/* An array of bytes is kept as it is. */
static bool read_bytes(const struct numbers *numbers, struct reading *reading)
{
    struct samples *samples = &reading->samples;
    samples->kind = SAMPLES_BYTES;
    samples->count = numbers->shape[0];
    samples->features = numbers->shape[1];
    if (!check_features(reading))
        return false;
    samples->data.bytes = malloc(numbers->count);
    if (samples->data.bytes == NULL)
        return problem_set_no_memory(reading->fields->problem);
    memcpy(samples->data.bytes, numbers->bytes, numbers->count);
    return true;
}

/* One number for each feature, or afferent. */
static bool read_rectangle(struct reading *reading)
{
    struct float_array array;
    struct samples *samples = &reading->samples;
    /* What is three deep is not a rectangle: its deepest fault is told. */
    const unsigned max_rank = samples->kind == SAMPLES_VALUES ? 2 : 3;
    if (!float_array_read(reading->fields, reading->name, FIELD_REQUIRED, 2, max_rank, SIZE_MAX,
                          &array))
        return false;
    samples->count = array.shape[0];
    samples->features = array.shape[1];
    samples->data.values = array.values;
    return check_features(reading);
}

static bool read_encoded(struct reading *reading, const struct numbers *numbers)
{
    char pointer[PROBLEM_POINTER];
    const struct model *model = reading->model;
    const bool are_bytes = encoding_takes_bytes(&model->encoding) && numbers != NULL &&
                           numbers->bytes != NULL && numbers->rank == 2;
    if (!(are_bytes ? read_bytes(numbers, reading) : read_rectangle(reading)))
        return false;
    fields_pointer(reading->fields, reading->name, pointer);
    return reading->use == SAMPLES_TO_FIT ||
           encoder_ranges_hold(&model->config.encoder, &reading->samples, pointer, true,
                               reading->fields->problem);
}

static bool read_samples(struct reading *reading)
{
    const struct model *model = reading->model;
    if (!choose_member(reading))
        return false;
    const struct numbers *numbers =
        json_value_numbers(fields_get(reading->fields, reading->name, FIELD_OPTIONAL));
    const bool trains = samples_json_trains(reading->use);
    if (numbers != NULL && !trains && !check_work(reading, numbers))
        return false;
    if (reading->samples.kind == SAMPLES_SPIKE_TIMES && spike_trains_are_given(numbers))
        return spike_trains_read(reading->fields, numbers,
                                 model->config.network.tempotron.in_features, &reading->samples) &&
               check_spikes(reading);
    if (!(reading->samples.kind == SAMPLES_VALUES ? read_encoded(reading, numbers)
                                                  : read_rectangle(reading)))
        return false;
    return trains || samples_suit(&reading->samples, &model->encoding) ||
           problem_set_no_memory(reading->fields->problem);
}

bool samples_json_read(struct fields *fields, const struct model *model, enum samples_use use,
                       struct samples *ret_samples)
{
    struct reading reading = {.fields = fields, .model = model, .use = use};
    bool read = read_samples(&reading);
    if (use != SAMPLES_TO_PREDICT) /* whatever else is wrong, to say all */
        read &= targets_json_read(fields, model, &reading.samples);
    if (read)
        *ret_samples = reading.samples;
    else
        samples_finish(&reading.samples);
    return read;
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
