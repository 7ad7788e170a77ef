#include "server/model/encoder_json.h"

#include <math.h>
#include <stdlib.h>

#include "server/base/limits.h"
#include "server/json/float_array.h"
#include "server/model/encoder_ranges.h"
#include "server/model/errors.h"

static const char *const types[] = {
    [ENCODER_GAUSSIAN_TUNING] = "gaussian_tuning", [ENCODER_LATENCY] = "latency", NULL};
static const char *const scales[] = {[LATENCY_LINEAR] = "linear", [LATENCY_LOG] = "log", NULL};
static const char *const ways_out_of_range[] = {[OUT_OF_RANGE_SILENT] = "silent",
                                                [OUT_OF_RANGE_CLAMP] = "clamp",
                                                [OUT_OF_RANGE_REJECT] = "reject",
                                                NULL};

/* --- the tables --- */

/* What the rows read and write. */
struct code {
    enum encoder_type type;
    size_t m;                 /* of gaussian_tuning */
    enum latency_scale scale; /* of latency */
    uint32_t max_spike_time;
    enum out_of_range out_of_range;
};

const struct params_row encoder_json_gaussian_tuning_rows[GAUSSIAN_TUNING_PARAMS] = {
    {"m", PARAMS_SIZE, offsetof(struct code, m), 3, LIMIT_RECEPTIVE_FIELDS, .is_required = true,
     .fallback = NAN},
};
const struct params_row encoder_json_latency_rows[LATENCY_PARAMS] = {
    {"scale", PARAMS_CHOICE, offsetof(struct code, scale), .choices = scales,
     .fallback = LATENCY_LINEAR},
};
const struct params_row encoder_json_rows[ENCODER_PARAMS] = {
    {"max_spike_time", PARAMS_UINT32, offsetof(struct code, max_spike_time), 1, LIMIT_T,
     .fallback = 50},
    {"out_of_range", PARAMS_CHOICE, offsetof(struct code, out_of_range),
     .choices = ways_out_of_range, .fallback = OUT_OF_RANGE_SILENT},
};

/* Those that only encoders of a type have. */
static const struct {
    const struct params_row *rows;
    size_t count;
} of_type[] = {
    [ENCODER_GAUSSIAN_TUNING] = {encoder_json_gaussian_tuning_rows, GAUSSIAN_TUNING_PARAMS},
    [ENCODER_LATENCY] = {encoder_json_latency_rows, LATENCY_PARAMS},
};

/* --- the ranges --- */

/* The ends are [n] each, but their rank is that of what was given: 0 is one number for all. */
struct ranges {
    size_t n;
    enum encoder_ranges from;
    struct float_array x_min;
    struct float_array x_max;
};

static void ranges_finish(struct ranges *ranges)
{
    float_array_finish(&ranges->x_min);
    float_array_finish(&ranges->x_max);
}

static bool check_count(const struct fields *fields, const char *name,
                        const struct float_array *array, const char *other, size_t count)
{
    return array->rank == 0 || array->count == count ||
           fields_refuse(fields, name, PROBLEM_WRONG_SHAPE, "%s has %zu numbers, but %s %zu.", name,
                         array->count, other, count);
}

/* The number of features is n, or that of the arrays if n is 0, as it was not given. */
static bool agree_on_n(const struct fields *fields, size_t n, struct ranges *ranges)
{
    if (n == 0 && (ranges->x_min.rank == 0 || ranges->x_max.rank == 0))
        return fields_refuse(fields, "n", PROBLEM_MISSING_FIELD,
                             "is required if x_min or x_max is one number");
    const char *other = n != 0 ? "n is" : "x_min has";
    ranges->n = n != 0 ? n : ranges->x_min.count;
    return check_count(fields, "x_min", &ranges->x_min, other, ranges->n) &&
           check_count(fields, "x_max", &ranges->x_max, other, ranges->n);
}

/* Makes one number that of every feature. */
static bool spread(float number, size_t n, struct problem *problem, struct float_array *array)
{
    float *values = malloc(n * sizeof *values);
    if (values == NULL)
        return problem_set_no_memory(problem);
    for (size_t i = 0; i < n; i++)
        values[i] = number;
    free(array->values);
    array->values = values;
    return true;
}

static bool spread_shared(struct float_array *array, size_t n, struct problem *problem)
{
    return array->rank == 1 || spread(array->values[0], n, problem, array);
}

/* Any ranges, to stand there until the encoder is fitted. */
static bool stand_in(struct ranges *ranges, size_t n, struct problem *problem)
{
    ranges->n = n;
    ranges->from = RANGES_UNFITTED;
    return spread(0, n, problem, &ranges->x_min) && spread(1, n, problem, &ranges->x_max);
}

static bool read_ranges(struct fields *fields, bool may_be_unfitted, struct ranges *ranges)
{
    int64_t n = 0;
    const bool has_n = fields_integer(fields, "n", FIELD_OPTIONAL, 1, LIMIT_FEATURES, &n);
    const bool wrong_n = !has_n && fields_is_given(fields, "n");
    if (may_be_unfitted && (has_n || wrong_n) && !fields_is_given(fields, "x_min") &&
        !fields_is_given(fields, "x_max"))
        return has_n && stand_in(ranges, (size_t)n, fields->problem);
    bool read =
        float_array_read(fields, "x_min", FIELD_REQUIRED, 0, 1, LIMIT_FEATURES, &ranges->x_min);
    read &= float_array_read(fields, "x_max", FIELD_REQUIRED, 0, 1, LIMIT_FEATURES, &ranges->x_max);
    if (!read || wrong_n)
        return false;
    if (ranges->x_min.rank == 0 && ranges->x_max.rank == 0)
        ranges->from = RANGES_SHARED;
    return agree_on_n(fields, (size_t)n, ranges) &&
           spread_shared(&ranges->x_min, ranges->n, fields->problem) &&
           spread_shared(&ranges->x_max, ranges->n, fields->problem);
}

static void refuse_range(const struct fields *fields, const struct ranges *ranges, size_t feature)
{
    const unsigned depth = ranges->x_max.rank;
    const float range = ranges->x_max.values[feature] - ranges->x_min.values[feature];
    if (range <= 0)
        fields_refuse_element(fields, "x_max", &feature, depth, PROBLEM_EMPTY_RANGE,
                              "x_max must be greater than x_min (as float32).");
    else if (range >= LIMIT_RANGE_MIN && range <= LIMIT_RANGE)
        fields_refuse_element(fields, "x_max", &feature, depth, PROBLEM_OUT_OF_RANGE,
                              "x_max - x_min is too small for such values: float32 can't tell the "
                              "m receptive fields apart.");
    else
        fields_refuse_element(fields, "x_max", &feature, depth, PROBLEM_OUT_OF_RANGE,
                              "x_max - x_min must be from %g to %g.", (double)LIMIT_RANGE_MIN,
                              (double)LIMIT_RANGE);
}

static void check_ranges(const struct fields *fields, const struct ranges *ranges,
                         const struct code *code)
{
    for (size_t i = 0; i < ranges->n; i++)
        if (!encoder_ranges_are_possible(ranges->x_min.values[i], ranges->x_max.values[i],
                                         code->type, code->m))
            refuse_range(fields, ranges, i);
}

/* --- the whole --- */

static bool make_encoder(const struct code *code, const struct ranges *ranges,
                         struct problem *problem, struct encoder *ret_encoder)
{
    const float *x_min = ranges->x_min.values, *x_max = ranges->x_max.values;
    struct encoder encoder = {.type = code->type};
    enum core_status status = CORE_OK;
    switch (code->type) {
    case ENCODER_GAUSSIAN_TUNING:
        status = gaussian_tuning_init(&encoder.gaussian_tuning, ranges->n, code->m, x_min, x_max,
                                      code->max_spike_time);
        break;
    case ENCODER_LATENCY:
        status = latency_init(&encoder.latency, ranges->n, code->scale, x_min, x_max,
                              code->max_spike_time);
        break;
    }
    if (!errors_core_ok(status, problem))
        return false;
    encoder_set_out_of_range(&encoder, code->out_of_range);
    *ret_encoder = encoder;
    return true;
}

/* Reads what there is besides the type. */
static bool read_code(struct fields *fields, enum encoder_type type, bool may_be_unfitted,
                      struct encoder *ret_encoder, enum encoder_ranges *ret_ranges)
{
    struct code code = {.type = type};
    struct ranges ranges = {0};
    params_read(fields, of_type[type].rows, of_type[type].count, NULL, &code);
    const bool has_ranges = read_ranges(fields, may_be_unfitted, &ranges);
    params_read(fields, encoder_json_rows, ENCODER_PARAMS, NULL, &code);
    if (has_ranges && ranges.from != RANGES_UNFITTED)
        check_ranges(fields, &ranges, &code);
    const bool read = has_ranges && !problem_is_set(fields->problem) &&
                      make_encoder(&code, &ranges, fields->problem, ret_encoder);
    if (read)
        *ret_ranges = ranges.from;
    ranges_finish(&ranges);
    return read;
}

bool encoder_json_read_function(struct fields *fields, struct encoder *ret_encoder)
{
    unsigned type = ENCODER_GAUSSIAN_TUNING;
    enum encoder_ranges ranges;
    fields_choice(fields, "type", FIELD_OPTIONAL, types, &type);
    return read_code(fields, (enum encoder_type)type, false, ret_encoder, &ranges);
}

bool encoder_json_read(struct fields *parent, struct encoder *ret_encoder,
                       enum encoder_ranges *ret_ranges)
{
    struct fields fields;
    unsigned type = ENCODER_GAUSSIAN_TUNING;
    if (!fields_open_member(&fields, parent, "encoder", FIELD_REQUIRED))
        return false;
    fields_choice(&fields, "type", FIELD_REQUIRED, types, &type);
    const bool read = read_code(&fields, (enum encoder_type)type, true, ret_encoder, ret_ranges);
    fields_close(&fields);
    return read;
}

/* --- writing --- */

static struct code code_of(const struct encoder *encoder)
{
    struct code code = {.type = encoder->type,
                        .max_spike_time = encoder_max_spike_time(encoder),
                        .out_of_range = encoder->out_of_range};
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        code.m = encoder->gaussian_tuning.m;
        break;
    case ENCODER_LATENCY:
        code.scale = encoder->latency.scale;
        break;
    }
    return code;
}

/* A whole number has no exponent: 1000000. */
static void write_end(struct buffer *json, float value)
{
    if (value == rintf(value) && fabsf(value) < 1e15f)
        json_write_double(json, (double)value);
    else
        json_write_float(json, value);
}

static void write_ends(struct buffer *json, const char *key, const float *values, size_t n,
                       enum encoder_ranges ranges)
{
    if (ranges == RANGES_UNFITTED)
        return;
    json_write_key(json, key);
    if (ranges == RANGES_SHARED) {
        write_end(json, values[0]);
        return;
    }
    json_write_array_begin(json);
    for (size_t i = 0; i < n; i++)
        write_end(json, values[i]);
    json_write_array_end(json);
}

void encoder_json_write(struct buffer *json, const struct encoder *encoder,
                        enum encoder_ranges ranges)
{
    const size_t n = encoder_features(encoder);
    const struct code code = code_of(encoder);
    json_write_object_begin(json);
    json_write_member_string(json, "type", types[encoder->type]);
    params_write(json, of_type[code.type].rows, of_type[code.type].count, NULL, &code);
    json_write_member_integer(json, "n", (int64_t)n);
    write_ends(json, "x_min", encoder_x_min(encoder), n, ranges);
    write_ends(json, "x_max", encoder_x_max(encoder), n, ranges);
    params_write(json, encoder_json_rows, ENCODER_PARAMS, NULL, &code);
    json_write_object_end(json);
}
