#include "server/model/samples_json.h"

#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"
#include "server/json/float_array.h"
#include "server/json/numbers.h"
#include "server/model/encoder_ranges.h"
#include "server/model/spike_trains_json.h"
#include "server/model/targets_json.h"

struct reader {
    struct fields *fields;
    const struct model *model;
    enum samples_use use;
    const char *name; /* of the member with the samples */
    struct samples samples;
};

/* Which of x and in_spikes is given: exactly one must be. */
static bool choose_member(struct reader *reader)
{
    struct fields *fields = reader->fields;
    const bool has_encoder = reader->model->config.has_encoder;
    const bool x = fields_is_given(fields, "x"), in_spikes = fields_is_given(fields, "in_spikes");
    if (x && in_spikes)
        return fields_refuse(fields, "in_spikes", PROBLEM_CONFLICTING_FIELDS,
                             "Give either x or in_spikes, not both.");
    if (x && !has_encoder)
        return fields_refuse(fields, "x", PROBLEM_CONFLICTING_FIELDS,
                             "The model has no encoder: give its samples as in_spikes.");
    if (!x && !in_spikes)
        return fields_refuse(fields, samples_json_member(reader->model), PROBLEM_MISSING_FIELD,
                             "The samples are missing.");
    reader->name = x ? "x" : "in_spikes";
    reader->samples.kind = x ? SAMPLES_VALUES : SAMPLES_SPIKE_TIMES;
    return !x ||
           model_encoder_is_usable(reader->model, reader->use == SAMPLES_TO_FIT, fields->problem);
}

/* Whether the forward pass over that many samples is short enough; only the document is looked at.
 */
static bool check_work(const struct reader *reader, const struct numbers *values)
{
    const struct network_params *network = &reader->model->config.network;
    const size_t count = values->shape[0];
    if (count == 0) /* whatever takes them refuses that */
        return true;
    const size_t trains = spike_trains_are_given(values) ? values->count / count : 0;
    const unsigned long long sample =
        network_work(network, network->tempotron.in_features + trains);
    if (count <= LIMIT_WORK / sample)
        return true;
    if (read_out_max_spikes(&network->read_out) > 0)
        return fields_refuse(
            reader->fields, reader->name, PROBLEM_TOO_LARGE,
            "To count the spikes of that many samples would take too long: send at most "
            "%llu samples at once.",
            LIMIT_WORK / sample);
    return fields_refuse(reader->fields, reader->name, PROBLEM_TOO_LARGE,
                         "batch * (T + in_features) * out_features, rounded up to a multiple of 8 "
                         "(of every layer, with the mean of the spikes if there are trains), must "
                         "be at most %llu: send at most %llu samples at once.",
                         LIMIT_WORK, LIMIT_WORK / sample);
}

/* A run keeps a row of outputs for every spike of a sample. */
static bool check_spikes(const struct reader *reader)
{
    const size_t *first = reader->samples.data.trains.first;
    const size_t max = LIMIT_VOLTAGES / network_neurons(&reader->model->config.network, 0);
    for (size_t b = 0; b < reader->samples.count; b++)
        if (first[b + 1] - first[b] > max)
            return fields_refuse_element(reader->fields, reader->name, &b, 1, PROBLEM_TOO_LARGE,
                                         "A sample's spikes times out_features must be at most %d.",
                                         LIMIT_VOLTAGES);
    return true;
}

static bool check_features(const struct reader *reader)
{
    const size_t features = reader->samples.features;
    const size_t expected = model_config_features(&reader->model->config);
    return features == expected ||
           fields_refuse(reader->fields, reader->name, PROBLEM_WRONG_SHAPE,
                         "Each sample must have %zu numbers, but these have %zu.", expected,
                         features);
}

/* An array of bytes is kept as it is. */
static bool read_bytes(const struct numbers *numbers, struct reader *reader)
{
    struct samples *samples = &reader->samples;
    samples->kind = SAMPLES_BYTES;
    samples->count = numbers->shape[0];
    samples->features = numbers->shape[1];
    if (!check_features(reader))
        return false;
    samples->data.bytes = malloc(numbers->count);
    if (samples->data.bytes == NULL)
        return problem_set_no_memory(reader->fields->problem);
    memcpy(samples->data.bytes, numbers->bytes, numbers->count);
    return true;
}

/* One number for each feature, or afferent. */
static bool read_rectangle(struct reader *reader)
{
    struct float_array array;
    struct samples *samples = &reader->samples;
    /* What is three deep is not a rectangle: its deepest fault is told. */
    const unsigned max_rank = samples->kind == SAMPLES_VALUES ? 2 : 3;
    if (!float_array_read(reader->fields, reader->name, FIELD_REQUIRED, 2, max_rank, SIZE_MAX,
                          &array))
        return false;
    samples->count = array.shape[0];
    samples->features = array.shape[1];
    samples->data.values = array.values;
    return check_features(reader);
}

static bool read_encoded(struct reader *reader, const struct numbers *numbers)
{
    char pointer[PROBLEM_POINTER];
    const struct encoder *encoder = &reader->model->config.encoder;
    const bool are_bytes = encoding_takes_bytes(&reader->model->encoding) && numbers != NULL &&
                           numbers->bytes != NULL && numbers->rank == 2;
    if (!(are_bytes ? read_bytes(numbers, reader) : read_rectangle(reader)))
        return false;
    if (reader->use == SAMPLES_TO_FIT || encoder->out_of_range != OUT_OF_RANGE_REJECT)
        return true;
    fields_pointer(reader->fields, reader->name, pointer);
    return encoder_ranges_hold(encoder, &reader->samples, pointer, true, reader->fields->problem);
}

static bool read_samples(struct reader *reader)
{
    const struct model *model = reader->model;
    if (!choose_member(reader))
        return false;
    const struct numbers *numbers =
        json_value_numbers(fields_get(reader->fields, reader->name, FIELD_OPTIONAL));
    const bool trains = samples_json_trains(reader->use);
    if (numbers != NULL && !trains && !check_work(reader, numbers))
        return false;
    if (reader->samples.kind == SAMPLES_SPIKE_TIMES && spike_trains_are_given(numbers))
        return spike_trains_read(reader->fields, numbers,
                                 model->config.network.tempotron.in_features, &reader->samples) &&
               check_spikes(reader);
    if (!(reader->samples.kind == SAMPLES_VALUES ? read_encoded(reader, numbers)
                                                 : read_rectangle(reader)))
        return false;
    if (!trains)
        samples_suit(&reader->samples, &model->encoding);
    return true;
}

bool samples_json_read(struct fields *fields, const struct model *model, enum samples_use use,
                       struct samples *ret_samples)
{
    struct reader reader = {.fields = fields, .model = model, .use = use};
    bool read = read_samples(&reader);
    if (use != SAMPLES_TO_PREDICT) /* whatever else is wrong, to say all */
        read &= targets_json_read(fields, model, &reader.samples);
    if (read)
        *ret_samples = reader.samples;
    else
        samples_finish(&reader.samples);
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
