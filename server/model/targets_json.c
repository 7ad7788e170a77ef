#include "server/model/targets_json.h"

#include <math.h>
#include <stdlib.h>

#include "server/json/float_array.h"
#include "server/json/numbers.h"

static const char NO_LABEL[] = "A label must be the number or the name of a class.";

struct reader {
    struct fields *fields;
    const struct model *model;
    size_t count; /* of the samples; 0: any */
};

/* --- classes --- */

/* A class by its number; -1, with the problem set: there is no such class. */
static int32_t read_class(double label, size_t i, const struct reader *reader)
{
    const size_t classes = network_outputs(&reader->model->config.network);
    if (label == rint(label) && label >= 0 && label < (double)classes)
        return (int32_t)label;
    if (label != rint(label))
        fields_refuse_element(reader->fields, "label", &i, 1, PROBLEM_WRONG_TYPE, "%s", NO_LABEL);
    else
        fields_refuse_element(reader->fields, "label", &i, 1, PROBLEM_LABEL_OUT_OF_RANGE,
                              "A label must lie in 0..%zu.", classes - 1);
    return -1;
}

/* Likewise by number or by name. */
static int32_t read_label(struct json_value item, size_t i, const struct reader *reader)
{
    const char *name = json_value_string(item);
    if (json_value_kind(item) == JSON_KIND_NUMBER)
        return read_class(json_value_number(item), i, reader);
    const int32_t label = name != NULL ? labels_find(&reader->model->labels, name) : -1;
    if (name == NULL)
        fields_refuse_element(reader->fields, "label", &i, 1, PROBLEM_WRONG_TYPE, "%s", NO_LABEL);
    else if (label < 0)
        fields_refuse_element(reader->fields, "label", &i, 1, PROBLEM_UNKNOWN_LABEL,
                              "The model has no class \"%s\".", name);
    return label;
}

static bool read_labels(const struct reader *reader, struct targets *targets)
{
    double number;
    struct fields *fields = reader->fields;
    const struct json_value array = fields_get(fields, "label", FIELD_REQUIRED);
    const struct numbers *numbers = json_value_numbers(array);
    if (!json_value_is_given(array))
        return false;
    if (json_value_kind(array) != JSON_KIND_ARRAY || (numbers != NULL && numbers->depth > 1))
        return fields_refuse(fields, "label", PROBLEM_WRONG_TYPE,
                             "label must be an array of classes.");
    const size_t count = json_value_count(array);
    if (reader->count > 0 && count != reader->count)
        fields_refuse(fields, "label", PROBLEM_WRONG_SHAPE, "There are %zu labels for %zu samples.",
                      count, reader->count);
    int32_t *label = malloc((count + 1) * sizeof *label);
    if (label == NULL)
        return problem_set_no_memory(fields->problem);
    *targets = (struct targets){.kind = TARGETS_CLASS, .label = label};
    struct numbers_walk walk = numbers != NULL ? numbers_walk(numbers) : (struct numbers_walk){0};
    numbers_next(&walk, &number); /* the bracket */
    for (size_t i = 0; i < count; i++) {
        const bool is_number = numbers_next(&walk, &number) == NUMBERS_NUMBER;
        label[i] = is_number ? read_class(number, i, reader)
                             : read_label(json_value_element(array, i), i, reader);
    }
    return !problem_is_set(fields->problem);
}

/* --- counts of spikes --- */

static bool check_shape(const struct float_array *array, const struct reader *reader,
                        size_t outputs)
{
    if (array->shape[1] != outputs)
        fields_refuse(reader->fields, "count", PROBLEM_WRONG_SHAPE,
                      "Each sample must have %zu counts, but these have %zu.", outputs,
                      array->shape[1]);
    if (reader->count > 0 && array->shape[0] != reader->count)
        fields_refuse(reader->fields, "count", PROBLEM_WRONG_SHAPE,
                      "There are counts of %zu samples for %zu samples.", array->shape[0],
                      reader->count);
    return !problem_is_set(reader->fields->problem);
}

/* The count of a number of the array, or 0, with the problem set, if it is no integer or too great.
 */
static uint32_t read_count(const struct float_array *array, size_t number,
                           const struct reader *reader)
{
    const float count = array->values[number];
    const uint32_t max = reader->model->config.network.read_out.spike_count.max_spikes - 1;
    const size_t path[] = {number / array->shape[1], number % array->shape[1]};
    if (count >= 0 && count <= (float)max && count == rintf(count))
        return (uint32_t)count;
    if (count != rintf(count))
        fields_refuse_element(reader->fields, "count", path, 2, PROBLEM_WRONG_TYPE,
                              "must be an integer");
    else
        fields_refuse_element(reader->fields, "count", path, 2, PROBLEM_OUT_OF_RANGE,
                              "must be from 0 to %u, fewer than max_spikes", max);
    return 0;
}

static bool convert(const struct float_array *array, const struct reader *reader,
                    struct targets *targets)
{
    const size_t outputs = reader->model->config.network.tempotron.out_features;
    if (!check_shape(array, reader, outputs))
        return false;
    uint32_t *wanted = malloc(array->count * sizeof *wanted);
    if (wanted == NULL)
        return problem_set_no_memory(reader->fields->problem);
    *targets = (struct targets){.kind = TARGETS_COUNT, .outputs = outputs, .wanted = wanted};
    for (size_t i = 0; i < array->count; i++)
        wanted[i] = read_count(array, i, reader);
    return !problem_is_set(reader->fields->problem);
}

static bool read_counts(const struct reader *reader, struct targets *targets)
{
    struct float_array array;
    if (!float_array_read(reader->fields, "count", FIELD_REQUIRED, 2, 2, SIZE_MAX, &array))
        return false;
    const bool read = convert(&array, reader, targets);
    float_array_finish(&array);
    return read;
}

/* --- what the read-out learns --- */

bool targets_json_read(struct fields *fields, const struct model *model, struct samples *samples)
{
    const struct reader reader = {fields, model, samples->count};
    switch (read_out_targets(&model->config.network.read_out)) {
    case TARGETS_CLASS:
        if (fields_has(fields, "count"))
            fields_refuse(fields, "count", PROBLEM_CONFLICTING_FIELDS,
                          "applies only to models with the read_out spike_count: give label");
        return read_labels(&reader, &samples->targets);
    case TARGETS_COUNT:
        if (fields_has(fields, "label"))
            fields_refuse(fields, "label", PROBLEM_CONFLICTING_FIELDS,
                          "applies only to models with the read_out v_max: give count");
        return read_counts(&reader, &samples->targets);
    case TARGETS_NONE:
        break;
    }
    return false;
}
