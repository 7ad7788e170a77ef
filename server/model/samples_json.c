#include "server/model/samples_json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/limits.h"
#include "server/json/numbers.h"
#include "server/model/count_json.h"
#include "server/model/encoder_ranges.h"
#include "server/model/spike_trains_json.h"

static const char NO_LABEL[] = "A label must be the number or the name of a class.";

static void add_error(const struct fields *fields, const char *name, enum problem_code code,
                      const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, code, pointer, "%s", detail);
}

bool encoder_is_usable(const struct model *model, enum samples_use use, struct problem *problem)
{
    if (model->config.ranges != RANGES_UNFITTED || use == SAMPLES_TO_FIT)
        return true;
    problem_set(problem, PROBLEM_ENCODER_NOT_FITTED,
                "The encoder has no ranges yet: train the model with \"fit\": true first.");
    return false;
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
        return !x || encoder_is_usable(model, use, fields->problem);
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

/* Whether the forward pass over so many samples may be asked for, from the document alone. */
static bool check_work(const struct numbers *values, const struct model_config *config,
                       const char *pointer, struct problem *problem)
{
    const size_t count = values->shape[0];
    if (count == 0 || count == NUMBERS_UNKNOWN) /* told by whoever takes them */
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
    if (bytes == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
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
    if (!fields_float_array(fields, name, FIELD_REQUIRED, 2, is_x ? 2 : 3, SIZE_MAX, &array))
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
    if (numbers != NULL && !is_to_train(use) &&
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
    if (is_to_train(use) || samples_suit(samples, &model->encoding))
        return true;
    problem_set_no_memory(fields->problem);
    return false;
}

/* A class by its number; adds to the problem and returns -1 where there is no such. */
static int32_t read_class(double label, const struct model *model, const char *pointer,
                          struct problem *problem)
{
    const size_t classes = network_outputs(&model->config.network);
    if (label != rint(label)) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "%s", NO_LABEL);
        return -1;
    }
    if (label < 0 || label >= (double)classes) {
        problem_add_field(problem, PROBLEM_LABEL_OUT_OF_RANGE, pointer,
                          "A label must lie in 0..%zu.", classes - 1);
        return -1;
    }
    return (int32_t)label;
}

/* Likewise by number or by name. */
static int32_t read_label(struct json_value item, const struct model *model, const char *pointer,
                          struct problem *problem)
{
    if (json_value_kind(item) == JSON_KIND_NUMBER)
        return read_class(json_value_number(item), model, pointer, problem);
    if (json_value_kind(item) != JSON_KIND_STRING) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer, "%s", NO_LABEL);
        return -1;
    }
    const int32_t label = labels_find(&model->labels, json_value_string(item));
    if (label < 0)
        problem_add_field(problem, PROBLEM_UNKNOWN_LABEL, pointer, "The model has no class \"%s\".",
                          json_value_string(item));
    return label;
}

/* Names, or names and numbers. */
static void read_named(struct json_value array, const char *pointer, const struct model *model,
                       struct problem *problem, int32_t *labels)
{
    char item_pointer[PROBLEM_POINTER];
    for (size_t i = 0; i < json_value_count(array); i++) {
        problem_pointer_index(pointer, i, item_pointer);
        labels[i] = read_label(json_value_element(array, i), model, item_pointer, problem);
    }
}

static void read_numbered(const struct numbers *numbers, const char *pointer,
                          const struct model *model, struct problem *problem, int32_t *labels)
{
    double label;
    char item_pointer[PROBLEM_POINTER];
    struct numbers_walk walk = numbers_walk(numbers);
    numbers_next(&walk, &label);
    for (size_t i = 0; numbers_next(&walk, &label) == NUMBERS_NUMBER; i++) {
        problem_pointer_index(pointer, i, item_pointer);
        labels[i] = read_class(label, model, item_pointer, problem);
    }
}

static bool read_labels(struct fields *fields, const struct model *model, struct samples *samples)
{
    char pointer[PROBLEM_POINTER];
    const struct json_value array = fields_get(fields, "label", FIELD_REQUIRED);
    const struct numbers *numbers = json_value_numbers(array);
    if (!json_value_is_given(array))
        return false;
    fields_pointer(fields, "label", pointer);
    if (json_value_kind(array) != JSON_KIND_ARRAY || (numbers != NULL && numbers->depth > 1)) {
        problem_add_field(fields->problem, PROBLEM_WRONG_TYPE, pointer,
                          "label must be an array of classes.");
        return false;
    }
    const size_t count = json_value_count(array);
    if (samples->count > 0 && count != samples->count)
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, pointer,
                          "There are %zu labels for %zu samples.", count, samples->count);
    int32_t *label = malloc((count + 1) * sizeof *label);
    if (label == NULL) {
        problem_set_no_memory(fields->problem);
        return false;
    }
    samples->targets.kind = TARGETS_CLASS;
    samples->targets.label = label;
    if (numbers != NULL)
        read_numbered(numbers, pointer, model, fields->problem, label);
    else
        read_named(array, pointer, model, fields->problem, label);
    return !problem_is_set(fields->problem);
}

static bool read_aims(struct fields *fields, const struct model *model, struct samples *samples)
{
    switch (model->config.network.read_out.kind) {
    case READ_OUT_V_MAX:
        if (fields_has(fields, "count"))
            add_error(fields, "count", PROBLEM_CONFLICTING_FIELDS,
                      "count is of models that read out spike_count: give label.");
        return read_labels(fields, model, samples);
    case READ_OUT_SPIKE_COUNT:
        return counts_read(fields, &model->config, samples);
    }
    return false;
}

bool samples_read(struct fields *fields, const struct model *model, enum samples_use use,
                  struct samples *ret_samples)
{
    struct samples samples = {0};
    bool read = read_values(fields, model, use, &samples);
    if (use != SAMPLES_TO_PREDICT)
        read &= read_aims(fields, model, &samples); /* whatever else is wrong, to say all */
    if (!read) {
        samples_finish(&samples);
        return false;
    }
    *ret_samples = samples;
    return true;
}

const char *samples_member(const struct model *model)
{
    return model->config.has_encoder ? "x" : "in_spikes";
}

size_t samples_spikes(const struct samples *samples, const struct model_config *config)
{
    const size_t trains = samples->kind == SAMPLES_SPIKE_TRAINS
                              ? samples->data.trains.first[samples->count] / samples->count
                              : 0;
    return config->network.tempotron.in_features + trains;
}

uint64_t samples_work(const struct samples *samples, const struct model_config *config)
{
    return samples->count * network_work(&config->network, samples_spikes(samples, config));
}
