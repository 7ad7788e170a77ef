#include "server/model/encoder_json.h"

#include <stdlib.h>

#include "server/base/limits.h"
#include "server/model/encoder_ranges.h"
#include "server/model/errors.h"

static const char *const type_names[] = {
    [ENCODER_GAUSSIAN_TUNING] = "gaussian_tuning", [ENCODER_LATENCY] = "latency", NULL};
static const char *const scale_names[] = {[LATENCY_LINEAR] = "linear", [LATENCY_LOG] = "log", NULL};
static const char *const out_of_range_names[] = {[OUT_OF_RANGE_SILENT] = "silent",
                                                 [OUT_OF_RANGE_CLAMP] = "clamp",
                                                 [OUT_OF_RANGE_REJECT] = "reject",
                                                 NULL};

/* --- the ranges --- */

struct ranges {
    size_t n; /* 0: it could not be told */
    enum encoder_ranges from;
    struct float_array x_min; /* [n] */
    struct float_array x_max; /* [n] */
    bool shares_x_max;        /* one number was given */
};

static void ranges_finish(struct ranges *ranges)
{
    float_array_finish(&ranges->x_min);
    float_array_finish(&ranges->x_max);
}

static void wrong_count(const struct fields *fields, const char *name,
                        const struct float_array *array, const char *other, size_t count)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, name, pointer);
    problem_add_field(fields->problem, PROBLEM_WRONG_SHAPE, pointer,
                      "%s has %zu numbers, but %s %zu.", name, array->count, other, count);
}

/* How many features there are: n, or as many as the arrays have numbers; 0 where they don't agree.
 */
static size_t agree_on_n(const struct fields *fields, const struct ranges *ranges, size_t n)
{
    const bool lists_x_min = ranges->x_min.rank == 1, lists_x_max = ranges->x_max.rank == 1;
    char pointer[PROBLEM_POINTER];
    if (n == 0 && !(lists_x_min && lists_x_max)) {
        fields_pointer(fields, "n", pointer);
        problem_add_field(fields->problem, PROBLEM_MISSING_FIELD, pointer,
                          "is required if x_min or x_max is one number");
        return 0;
    }
    if (n != 0 && lists_x_min && ranges->x_min.count != n)
        wrong_count(fields, "x_min", &ranges->x_min, "n is", n);
    else if (n != 0 && lists_x_max && ranges->x_max.count != n)
        wrong_count(fields, "x_max", &ranges->x_max, "n is", n);
    else if (n == 0 && ranges->x_min.count != ranges->x_max.count)
        wrong_count(fields, "x_max", &ranges->x_max, "x_min has", ranges->x_min.count);
    else
        return n != 0 ? n : ranges->x_min.count;
    return 0;
}

/* One number becomes that of every feature. */
static bool spread(const float *number, size_t n, struct problem *problem,
                   struct float_array *array)
{
    float *values = malloc(n * sizeof *values);
    if (values == NULL) {
        problem_set_no_memory(problem);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        values[i] = *number;
    float_array_finish(array);
    *array = (struct float_array){.rank = 1, .shape = {n}, .count = n, .values = values};
    return true;
}

static bool spread_number(struct float_array *array, size_t n, struct problem *problem)
{
    return array->rank == 1 || spread(array->values, n, problem, array);
}

/* Any ranges, to stand there until the encoder is fitted. */
static bool stand_in(struct ranges *ranges, size_t n, struct problem *problem)
{
    static const float zero = 0, one = 1;
    ranges->n = n;
    ranges->from = RANGES_UNFITTED;
    return spread(&zero, n, problem, &ranges->x_min) && spread(&one, n, problem, &ranges->x_max);
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
        fields_float_array(fields, "x_min", FIELD_REQUIRED, 0, 1, LIMIT_FEATURES, &ranges->x_min);
    read &=
        fields_float_array(fields, "x_max", FIELD_REQUIRED, 0, 1, LIMIT_FEATURES, &ranges->x_max);
    if (!read || wrong_n)
        return false;
    if (ranges->x_min.rank == 0 && ranges->x_max.rank == 0)
        ranges->from = RANGES_SHARED;
    ranges->shares_x_max = ranges->x_max.rank == 0;
    ranges->n = agree_on_n(fields, ranges, (size_t)n);
    return ranges->n > 0 && spread_number(&ranges->x_min, ranges->n, fields->problem) &&
           spread_number(&ranges->x_max, ranges->n, fields->problem);
}

static void refuse_range(const struct fields *fields, const struct ranges *ranges, size_t feature,
                         enum range_fault fault)
{
    char pointer[PROBLEM_POINTER];
    fields_pointer(fields, "x_max", pointer);
    if (!ranges->shares_x_max)
        problem_pointer_index(pointer, feature, pointer);
    switch (fault) {
    case RANGE_POSSIBLE:
        break;
    case RANGE_EMPTY:
        problem_add_field(fields->problem, PROBLEM_EMPTY_RANGE, pointer,
                          "x_max must be greater than x_min (as float32).");
        break;
    case RANGE_UNRESOLVED:
        problem_add_field(fields->problem, PROBLEM_OUT_OF_RANGE, pointer,
                          "x_max - x_min is too small for such values: float32 can't tell the "
                          "m receptive fields apart.");
        break;
    case RANGE_BEYOND:
        problem_add_field(fields->problem, PROBLEM_OUT_OF_RANGE, pointer,
                          "x_max - x_min must be from %g to %g.", (double)LIMIT_RANGE_LEAST,
                          (double)LIMIT_RANGE);
        break;
    }
}

static void check_ranges(const struct fields *fields, const struct ranges *ranges,
                         enum encoder_type type, size_t neurons)
{
    for (size_t i = 0; i < ranges->n; i++) {
        const enum range_fault fault =
            encoder_ranges_check(ranges->x_min.values[i], ranges->x_max.values[i], type, neurons);
        if (fault != RANGE_POSSIBLE)
            refuse_range(fields, ranges, i, fault);
    }
}

/* --- the whole --- */

struct code {
    enum encoder_type type;
    int64_t m;      /* of gaussian_tuning */
    unsigned scale; /* of latency */
    int64_t max_spike_time;
    unsigned out_of_range;
};

static bool make_encoder(const struct code *code, const struct ranges *ranges,
                         struct problem *problem, struct encoder *ret_encoder)
{
    const float *x_min = ranges->x_min.values, *x_max = ranges->x_max.values;
    const uint32_t max_spike_time = (uint32_t)code->max_spike_time;
    struct encoder encoder = {.type = code->type};
    enum core_status status = CORE_OK;
    switch (code->type) {
    case ENCODER_GAUSSIAN_TUNING:
        status = gaussian_tuning_init(&encoder.gaussian_tuning, ranges->n, (size_t)code->m, x_min,
                                      x_max, max_spike_time);
        break;
    case ENCODER_LATENCY:
        status = latency_init(&encoder.latency, ranges->n, (enum latency_scale)code->scale, x_min,
                              x_max, max_spike_time);
        break;
    }
    if (!errors_core_ok(status, problem))
        return false;
    encoder_set_out_of_range(&encoder, (enum out_of_range)code->out_of_range);
    *ret_encoder = encoder;
    return true;
}

/* What there is beside the type. */
static bool read_code(struct fields *fields, enum encoder_type type, bool may_be_unfitted,
                      struct encoder *ret_encoder, enum encoder_ranges *ret_ranges)
{
    struct code code = {.type = type, .max_spike_time = 50};
    struct ranges ranges = {0};
    switch (type) {
    case ENCODER_GAUSSIAN_TUNING:
        fields_integer(fields, "m", FIELD_REQUIRED, 3, LIMIT_RECEPTIVE_FIELDS, &code.m);
        break;
    case ENCODER_LATENCY:
        fields_choice(fields, "scale", FIELD_OPTIONAL, scale_names, &code.scale);
        break;
    }
    const bool has_ranges = read_ranges(fields, may_be_unfitted, &ranges);
    fields_integer(fields, "max_spike_time", FIELD_OPTIONAL, 1, LIMIT_T, &code.max_spike_time);
    fields_choice(fields, "out_of_range", FIELD_OPTIONAL, out_of_range_names, &code.out_of_range);
    if (has_ranges && ranges.from != RANGES_UNFITTED)
        check_ranges(fields, &ranges, type, (size_t)code.m);
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
    fields_choice(fields, "type", FIELD_OPTIONAL, type_names, &type);
    return read_code(fields, (enum encoder_type)type, false, ret_encoder, &ranges);
}

bool encoder_json_read(struct fields *parent, struct encoder *ret_encoder,
                       enum encoder_ranges *ret_ranges)
{
    struct fields fields;
    struct encoder encoder;
    unsigned type = ENCODER_GAUSSIAN_TUNING;
    struct problem *problem = parent->problem;
    if (!fields_open_member(&fields, parent, "encoder", FIELD_REQUIRED))
        return false;
    fields_choice(&fields, "type", FIELD_REQUIRED, type_names, &type);
    const bool read = read_code(&fields, (enum encoder_type)type, true, &encoder, ret_ranges);
    fields_close(&fields);
    if (!read)
        return false;
    if (problem_is_set(problem)) {
        encoder_finish(&encoder);
        return false;
    }
    *ret_encoder = encoder;
    return true;
}

/* --- writing --- */

static void write_code(struct json_writer *writer, const struct encoder *encoder)
{
    json_write_key(writer, "type");
    json_write_string(writer, type_names[encoder->type]);
    switch (encoder->type) {
    case ENCODER_GAUSSIAN_TUNING:
        json_write_key(writer, "m");
        json_write_integer(writer, (int64_t)encoder->gaussian_tuning.m);
        break;
    case ENCODER_LATENCY:
        json_write_key(writer, "scale");
        json_write_string(writer, scale_names[encoder->latency.scale]);
        break;
    }
}

static void write_ranges(struct json_writer *writer, const char *key, const float *values, size_t n,
                         enum encoder_ranges ranges)
{
    switch (ranges) {
    case RANGES_OF_FEATURES:
    case RANGES_FITTED:
        json_write_key(writer, key);
        json_write_float_array(writer, values, &n, 1);
        break;
    case RANGES_SHARED:
        json_write_key(writer, key);
        json_write_float(writer, values[0]);
        break;
    case RANGES_UNFITTED:
        break;
    }
}

void encoder_json_write(struct json_writer *writer, const struct encoder *encoder,
                        enum encoder_ranges ranges)
{
    const size_t n = encoder_features(encoder);
    json_write_object_begin(writer);
    write_code(writer, encoder);
    json_write_key(writer, "n");
    json_write_integer(writer, (int64_t)n);
    write_ranges(writer, "x_min", encoder_x_min(encoder), n, ranges);
    write_ranges(writer, "x_max", encoder_x_max(encoder), n, ranges);
    json_write_key(writer, "max_spike_time");
    json_write_integer(writer, (int64_t)encoder_max_spike_time(encoder));
    json_write_key(writer, "out_of_range");
    json_write_string(writer, out_of_range_names[encoder->out_of_range]);
    json_write_object_end(writer);
}
