#include "server/model/count_json.h"

#include <math.h>
#include <stdlib.h>

static void conflict(struct fields *fields, const char *name, const char *detail)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, PROBLEM_CONFLICTING_FIELDS, pointer, "%s", detail);
}

void counts_refuse(struct fields *fields, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++)
        if (fields_has(fields, names[i]))
            conflict(fields, names[i], "It is not of models that read out spike_count.");
}

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
static void refuse_count(float count, size_t number, size_t outputs, uint32_t most,
                         const char *pointer, struct problem *problem)
{
    char of_sample[PROBLEM_POINTER], item[PROBLEM_POINTER];
    problem_pointer_index(pointer, number / outputs, of_sample);
    problem_pointer_index(of_sample, number % outputs, item);
    if (count != rintf(count))
        problem_add_field(problem, PROBLEM_WRONG_TYPE, item, "must be an integer");
    else
        problem_add_field(problem, PROBLEM_OUT_OF_RANGE, item,
                          "must be from 0 to %u, fewer than max_spikes", most);
}

/* False: no memory, or some are wrong. */
static bool convert(const struct float_array *array, uint32_t most, const char *pointer,
                    struct problem *problem, struct samples *samples)
{
    const size_t outputs = array->shape[1];
    uint32_t *wanted = malloc(array->count * sizeof *wanted);
    if (wanted == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    samples->targets =
        (struct targets){.kind = TARGETS_COUNT, .outputs = outputs, .wanted = wanted};
    for (size_t i = 0; i < array->count; i++) {
        const float count = array->values[i];
        const bool is_count = count >= 0 && count <= (float)most && count == rintf(count);
        wanted[i] = is_count ? (uint32_t)count : 0;
        if (!is_count)
            refuse_count(count, i, outputs, most, pointer, problem);
    }
    return !problem_is_set(problem);
}

bool counts_read(struct fields *fields, const struct model_config *config, struct samples *samples)
{
    char pointer[PROBLEM_POINTER];
    struct float_array array;
    if (fields_has(fields, "label"))
        conflict(fields, "label", "The model counts spikes: give count in place of label.");
    if (!fields_float_array(fields, "count", FIELD_REQUIRED, 2, 2, SIZE_MAX, &array))
        return false;
    fields_pointer(fields, "count", pointer);
    const size_t outputs = config->network.tempotron.out_features;
    const bool read = check_shape(&array, samples->count, outputs, pointer, fields->problem) &&
                      convert(&array, config->network.read_out.spike_count.max_spikes - 1, pointer,
                              fields->problem, samples);
    float_array_finish(&array);
    return read;
}
