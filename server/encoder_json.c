#include "encoder_json.h"

#include <float.h>
#include <math.h>

#include "limits.h"
#include "status_problem.h"

/* Whether float32 can tell the places of m receptive fields apart. */
static bool is_resolved(float x_min, float x_max, size_t m)
{
    const float greatest = fmaxf(fabsf(x_min), fabsf(x_max));
    return greatest * FLT_EPSILON * (float)m <= (x_max - x_min) / 100;
}

static void check_ranges(const struct fields *fields, const struct float_array *x_min,
                         const struct float_array *x_max, size_t m)
{
    char pointer[PROBLEM_POINTER];
    if (x_min->count != x_max->count) {
        fields_pointer(fields, "x_max", pointer);
        problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, pointer,
                          "x_max has %zu numbers, but x_min has %zu.", x_max->count, x_min->count);
        return;
    }
    for (size_t i = 0; i < x_min->count; i++) {
        const float range = x_max->values[i] - x_min->values[i];
        if (range >= LIMIT_RANGE_LEAST && range <= LIMIT_RANGE &&
            is_resolved(x_min->values[i], x_max->values[i], m))
            continue;
        fields_pointer(fields, "x_max", pointer);
        problem_pointer_index(pointer, i, pointer);
        if (range <= 0)
            problem_add_field(fields->problem, PROBLEM_EMPTY_RANGE, pointer,
                              "x_max must be greater than x_min (as float32).");
        else if (range >= LIMIT_RANGE_LEAST && range <= LIMIT_RANGE)
            problem_add_field(fields->problem, PROBLEM_OUT_OF_RANGE, pointer,
                              "x_max - x_min is too small beside them: float32 can't tell the "
                              "m receptive fields apart.");
        else
            problem_add_field(fields->problem, PROBLEM_OUT_OF_RANGE, pointer,
                              "x_max - x_min must lie in %g..%g.", (double)LIMIT_RANGE_LEAST,
                              (double)LIMIT_RANGE);
        return;
    }
}

bool gaussian_tuning_read(struct fields *fields, struct gaussian_tuning *ret_tuning)
{
    int64_t m = 0, max_spike_time = 50;
    struct float_array x_min = {0}, x_max = {0};
    bool read = fields_integer(fields, "m", FIELD_REQUIRED, 3, LIMIT_RECEPTIVE_FIELDS, &m);
    read &= fields_float_array(fields, "x_min", FIELD_REQUIRED, 1, 1, LIMIT_FEATURES, &x_min);
    read &= fields_float_array(fields, "x_max", FIELD_REQUIRED, 1, 1, LIMIT_FEATURES, &x_max);
    fields_integer(fields, "max_spike_time", FIELD_OPTIONAL, 1, LIMIT_T, &max_spike_time);
    if (x_min.count > 0 && x_max.count > 0)
        check_ranges(fields, &x_min, &x_max, (size_t)m);
    read &= !problem_is_set(fields->problem);
    if (read)
        read = core_succeeded(gaussian_tuning_init(ret_tuning, x_min.count, (size_t)m, x_min.values,
                                                   x_max.values, (uint32_t)max_spike_time),
                              fields->problem);
    float_array_finish(&x_max);
    float_array_finish(&x_min);
    return read;
}

bool encoder_read(struct fields *parent, struct encoder *ret_encoder)
{
    static const char *const types[] = {"gaussian_tuning", NULL};
    struct fields fields;
    struct gaussian_tuning tuning;
    unsigned type;
    char pointer[PROBLEM_POINTER];
    struct problem *problem = parent->problem;
    fields_pointer(parent, "encoder", pointer);
    if (!fields_open(&fields, parent->document, fields_get(parent, "encoder", FIELD_REQUIRED),
                     pointer, problem))
        return false;
    const bool typed = fields_choice(&fields, "type", FIELD_REQUIRED, types, &type);
    const bool read = gaussian_tuning_read(&fields, &tuning);
    fields_close(&fields);
    if (!read)
        return false;
    if (!typed || problem_is_set(problem)) {
        gaussian_tuning_finish(&tuning);
        return false;
    }
    *ret_encoder = (struct encoder){.type = ENCODER_GAUSSIAN_TUNING, .gaussian_tuning = tuning};
    return true;
}

static void write_gaussian(struct json_writer *writer, const struct gaussian_tuning *tuning)
{
    json_write_key(writer, "type");
    json_write_string(writer, "gaussian_tuning");
    json_write_key(writer, "m");
    json_write_integer(writer, (int64_t)tuning->m);
    json_write_key(writer, "x_min");
    json_write_float_array(writer, tuning->x_min, &tuning->n, 1);
    json_write_key(writer, "x_max");
    json_write_float_array(writer, tuning->x_max, &tuning->n, 1);
    json_write_key(writer, "max_spike_time");
    json_write_float(writer, tuning->max_spike_time);
}

void encoder_write(struct json_writer *writer, const struct encoder *encoder)
{
    json_write_object_begin(writer);
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        write_gaussian(writer, &encoder->gaussian_tuning);
        break;
    }
    json_write_object_end(writer);
}
