#include "server/model/targets_json.h"

#include <math.h>
#include <stdlib.h>

#include "server/json/float_array.h"
#include "server/json/numbers.h"

static const char NO_LABEL[] = "A label must be the number or the name of a class.";

/* --- classes --- */

/* A class by its number; -1, with the problem set: there is no such class. */
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
    if (json_value_kind(array) != JSON_KIND_ARRAY || (numbers != NULL && numbers->depth > 1))
        return problem_add_field(fields->problem, PROBLEM_WRONG_TYPE, pointer,
                                 "label must be an array of classes.");
    const size_t count = json_value_count(array);
    if (samples->count > 0 && count != samples->count)
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, pointer,
                          "There are %zu labels for %zu samples.", count, samples->count);
    int32_t *label = malloc((count + 1) * sizeof *label);
    if (label == NULL)
        return problem_set_no_memory(fields->problem);
    samples->targets.kind = TARGETS_CLASS;
    samples->targets.label = label;
    if (numbers != NULL)
        read_numbered(numbers, pointer, model, fields->problem, label);
    else
        read_named(array, pointer, model, fields->problem, label);
    return !problem_is_set(fields->problem);
}

/* --- counts of spikes --- */

static bool check_shape(const struct float_array *array, size_t samples, size_t outputs,
                        const char *pointer, struct problem *problem)
{
    if (array->shape[1] != outputs)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                          "Each sample must have %zu counts, but these have %zu.", outputs,
                          array->shape[1]);
    if (samples > 0 && array->shape[0] != samples)
        problem_add_field(problem, PROBLEM_WRONG_SHAPE, pointer,
                          "There are counts of %zu samples for %zu samples.", array->shape[0],
                          samples);
    return !problem_is_set(problem);
}

/* A number that is no integer, or too great, at the indices of its sample and output. */
static void refuse_count(float count, size_t number, size_t outputs, uint32_t max,
                         const char *pointer, struct problem *problem)
{
    char of_sample[PROBLEM_POINTER], item[PROBLEM_POINTER];
    problem_pointer_index(pointer, number / outputs, of_sample);
    problem_pointer_index(of_sample, number % outputs, item);
    if (count != rintf(count))
        problem_add_field(problem, PROBLEM_WRONG_TYPE, item, "must be an integer");
    else
        problem_add_field(problem, PROBLEM_OUT_OF_RANGE, item,
                          "must be from 0 to %u, fewer than max_spikes", max);
}

/* False: no memory, or some are wrong. */
static bool convert(const struct float_array *array, uint32_t max, const char *pointer,
                    struct problem *problem, struct samples *samples)
{
    const size_t outputs = array->shape[1];
    uint32_t *wanted = malloc(array->count * sizeof *wanted);
    if (wanted == NULL)
        return problem_set_no_memory(problem);
    samples->targets =
        (struct targets){.kind = TARGETS_COUNT, .outputs = outputs, .wanted = wanted};
    for (size_t i = 0; i < array->count; i++) {
        const float count = array->values[i];
        const bool is_count = count >= 0 && count <= (float)max && count == rintf(count);
        wanted[i] = is_count ? (uint32_t)count : 0;
        if (!is_count)
            refuse_count(count, i, outputs, max, pointer, problem);
    }
    return !problem_is_set(problem);
}

static bool read_counts(struct fields *fields, const struct model_config *config,
                        struct samples *samples)
{
    char pointer[PROBLEM_POINTER];
    struct float_array array;
    if (!float_array_read(fields, "count", FIELD_REQUIRED, 2, 2, SIZE_MAX, &array))
        return false;
    fields_pointer(fields, "count", pointer);
    const size_t outputs = config->network.tempotron.out_features;
    const bool read = check_shape(&array, samples->count, outputs, pointer, fields->problem) &&
                      convert(&array, config->network.read_out.spike_count.max_spikes - 1, pointer,
                              fields->problem, samples);
    float_array_finish(&array);
    return read;
}

/* --- what the read-out learns --- */

bool targets_json_read(struct fields *fields, const struct model *model, struct samples *samples)
{
    switch (read_out_targets(&model->config.network.read_out)) {
    case TARGETS_CLASS:
        if (fields_has(fields, "count"))
            fields_refuse(fields, "count", PROBLEM_CONFLICTING_FIELDS,
                          "applies only to models with the read_out spike_count: give label");
        return read_labels(fields, model, samples);
    case TARGETS_COUNT:
        if (fields_has(fields, "label"))
            fields_refuse(fields, "label", PROBLEM_CONFLICTING_FIELDS,
                          "applies only to models with the read_out v_max: give count");
        return read_counts(fields, &model->config, samples);
    case TARGETS_NONE:
        break;
    }
    return false;
}
