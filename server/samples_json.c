#include "samples_json.h"

#include <math.h>
#include <stdlib.h>

#include "limits.h"
#include "spike_trains_json.h"

static void add_error(const struct fields *fields, const char *name, enum problem_code code,
                      const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, code, pointer, "%s", detail);
}

/* Which of x and in_spikes is given: exactly one must be. */
static bool choose_kind(struct fields *fields, const struct model *model, enum samples_kind *kind)
{
    const bool x = fields_get(fields, "x", FIELD_OPTIONAL) != NULL;
    const bool in_spikes = fields_get(fields, "in_spikes", FIELD_OPTIONAL) != NULL;
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
        *kind = x ? SAMPLES_X : SAMPLES_IN_SPIKES;
        return true;
    }
    return false;
}

/* A run keeps a row of outputs for every spike of a sample. */
static bool check_spikes(struct samples *samples, size_t outputs, const char *pointer,
                         struct problem *problem)
{
    char sample_pointer[PROBLEM_POINTER];
    for (size_t b = 0; b < samples->count; b++) {
        if (samples->first[b + 1] - samples->first[b] <= LIMIT_VOLTAGES / outputs)
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
static bool check_work(const json_t *values, const struct tempotron_params *params,
                       const char *pointer, struct problem *problem)
{
    const size_t count = json_array_size(values);
    if (count == 0) /* told by whoever reads it */
        return true;
    const size_t spikes = params->in_features + spike_trains_count(values) / count;
    const uint64_t sample = (uint64_t)(params->T + spikes) * params->out_features;
    if (count <= LIMIT_WORK / sample)
        return true;
    problem_add_field(
        problem, PROBLEM_TOO_LARGE, pointer,
        "batch * (T + in_features) * out_features (with the mean of the spikes, where "
        "there are trains) must be at most %u: send at most %llu samples at once.",
        LIMIT_WORK, (unsigned long long)(LIMIT_WORK / sample));
    return false;
}

static bool read_values(struct fields *fields, const struct model *model, enum samples_use use,
                        struct samples *samples)
{
    char pointer[PROBLEM_POINTER];
    struct float_array array;
    if (!choose_kind(fields, model, &samples->kind))
        return false;
    const char *name = samples->kind == SAMPLES_X ? "x" : "in_spikes";
    const json_t *value = fields_get(fields, name, FIELD_REQUIRED);
    fields_pointer(fields, name, pointer);
    if (use != SAMPLES_TO_TRAIN &&
        !check_work(value, &model->config.params, pointer, fields->problem))
        return false;
    if (samples->kind == SAMPLES_IN_SPIKES && spike_trains_are_given(value)) {
        return spike_trains_read(value, pointer, model->config.params.in_features, fields->problem,
                                 samples) &&
               check_spikes(samples, model->config.params.out_features, pointer, fields->problem);
    }
    const size_t features = samples->kind == SAMPLES_X ? encoder_features(&model->config.encoder)
                                                       : model->config.params.in_features;
    if (!fields_float_array(fields, name, FIELD_REQUIRED, 2, 2, SIZE_MAX, &array))
        return false;
    if (array.shape[1] != features) {
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, pointer,
                          "Each sample must have %zu numbers, but these have %zu.", features,
                          array.shape[1]);
        float_array_finish(&array);
        return false;
    }
    samples->count = array.shape[0];
    samples->features = array.shape[1];
    samples->values = array.values;
    return true;
}

/* One class, by number or by name; adds to the problem and returns -1 where there is no such. */
static int32_t read_label(const json_t *item, const struct model *model, const char *pointer,
                          struct problem *problem)
{
    const size_t classes = model->config.params.out_features;
    if (json_is_string(item)) {
        const char *name = json_string_value(item);
        const int32_t label = labels_find(&model->labels, name);
        if (label < 0)
            problem_add_field(problem, PROBLEM_UNKNOWN_LABEL, pointer,
                              "The model has no class \"%s\".", name);
        return label;
    }
    const double label = json_number_value(item); /* 1.0 is an integer too */
    if (!json_is_number(item) || label != rint(label)) {
        problem_add_field(problem, PROBLEM_WRONG_TYPE, pointer,
                          "A label must be the number or the name of a class.");
        return -1;
    }
    if (label < 0 || label >= (double)classes) {
        problem_add_field(problem, PROBLEM_LABEL_OUT_OF_RANGE, pointer,
                          "A label must lie in 0..%zu.", classes - 1);
        return -1;
    }
    return (int32_t)label;
}

static bool read_labels(struct fields *fields, const struct model *model, struct samples *samples)
{
    char pointer[PROBLEM_POINTER], item_pointer[PROBLEM_POINTER];
    size_t index;
    json_t *item, *array = (json_t *)(uintptr_t)fields_get(fields, "label", FIELD_REQUIRED);
    if (array == NULL)
        return false;
    fields_pointer(fields, "label", pointer);
    if (!json_is_array(array)) {
        problem_add_field(fields->problem, PROBLEM_WRONG_TYPE, pointer, "label must be an array.");
        return false;
    }
    const size_t count = json_array_size(array);
    if (samples->count > 0 && count != samples->count)
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, pointer,
                          "There are %zu labels for %zu samples.", count, samples->count);
    samples->label = malloc((count + 1) * sizeof *samples->label);
    if (samples->label == NULL) {
        problem_set_no_memory(fields->problem);
        return false;
    }
    json_array_foreach(array, index, item) {
        problem_pointer_index(pointer, index, item_pointer);
        samples->label[index] = read_label(item, model, item_pointer, fields->problem);
    }
    return !problem_is_set(fields->problem);
}

bool samples_read(struct fields *fields, const struct model *model, enum samples_use use,
                  struct samples *ret_samples)
{
    struct samples samples = {0};
    bool read = read_values(fields, model, use, &samples);
    if (use != SAMPLES_TO_PREDICT)
        read &= read_labels(fields, model, &samples); /* whatever else is wrong, to say all */
    if (!read) {
        samples_finish(&samples);
        return false;
    }
    *ret_samples = samples;
    return true;
}

static enum sample_kind kind_of(const struct samples *samples)
{
    switch (samples->kind) {
    case SAMPLES_X:
        return SAMPLE_VALUES;
    case SAMPLES_IN_SPIKES:
        return SAMPLE_SPIKE_TIMES;
    case SAMPLES_SPIKE_TRAINS:
        return SAMPLE_SPIKE_TRAINS;
    }
    return SAMPLE_VALUES;
}

struct sample_set samples_view(const struct samples *samples, const struct model_config *config)
{
    return (struct sample_set){
        .kind = kind_of(samples),
        .count = samples->count,
        .features = samples->features,
        .label = samples->label,
        .encoder = &config->encoder,
        .values = samples->values,
        .spikes = samples->spikes,
        .times = samples->times,
        .first = samples->first,
    };
}
