#include "server/model/encoder_ranges.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "server/base/limits.h"
#include "server/model/errors.h"

bool encoder_ranges_are_possible(float x_min, float x_max, enum encoder_type type, size_t neurons)
{
    const float range = x_max - x_min, greatest = fmaxf(fabsf(x_min), fabsf(x_max));
    if (!(range >= LIMIT_RANGE_MIN && range <= LIMIT_RANGE))
        return false;
    switch (type) {
    case ENCODER_GAUSSIAN_TUNING:
        return greatest * FLT_EPSILON * (float)neurons <= range / 100;
    case ENCODER_LATENCY: /* the difference to x_min is as exact as the value is */
        return true;
    }
    return false;
}

/* --- values outside --- */

void encoder_ranges_refuse(const struct encoder *encoder, size_t feature, float value,
                           const char *pointer, struct problem *problem)
{
    problem_add_field(problem, PROBLEM_OUT_OF_RANGE, pointer,
                      "%.9g lies outside of the feature's range, %.9g to %.9g.", (double)value,
                      (double)encoder_x_min(encoder)[feature],
                      (double)encoder_x_max(encoder)[feature]);
}

static void refuse_sample(const struct encoder *encoder, size_t sample, size_t feature, float value,
                          const char *pointer, bool is_array, struct problem *problem)
{
    char value_pointer[PROBLEM_POINTER];
    if (!is_array) {
        problem_add_field(problem, PROBLEM_OUT_OF_RANGE, pointer,
                          "The feature %zu of the sample %zu, counted from 0, is %.9g, which lies "
                          "outside of its range, %.9g to %.9g.",
                          feature, sample, (double)value, (double)encoder_x_min(encoder)[feature],
                          (double)encoder_x_max(encoder)[feature]);
        return;
    }
    problem_pointer_index(pointer, sample, value_pointer);
    problem_pointer_index(value_pointer, feature, value_pointer);
    encoder_ranges_refuse(encoder, feature, value, value_pointer, problem);
}

/* The first feature of a sample that lies outside; the number of features if there is none. */
static size_t find_outside(const struct encoder *encoder, const struct samples *samples,
                           size_t sample, float *ret_value)
{
    const size_t n = samples->features, first = samples_row(samples, sample) * n;
    if (!samples_are_encoded(samples))
        return n;
    for (size_t i = 0; i < n; i++) {
        *ret_value = samples->kind == SAMPLES_BYTES ? samples->data.bytes[first + i]
                                                    : samples->data.values[first + i];
        if (!encoder_is_inside(encoder, i, *ret_value))
            return i;
    }
    return n;
}

bool encoder_ranges_hold(const struct encoder *encoder, const struct samples *samples,
                         const char *pointer, bool is_array, struct problem *problem)
{
    float value = 0;
    bool hold = true;
    for (size_t b = 0; b < samples->count; b++) {
        const size_t feature = find_outside(encoder, samples, b, &value);
        if (feature == samples->features)
            continue;
        refuse_sample(encoder, b, feature, value, pointer, is_array, problem);
        hold = false;
        if (!is_array) /* which would be named again and again */
            break;
    }
    return hold;
}

bool encoder_ranges_hold_values(const struct encoder *encoder, const float *values, size_t count,
                                size_t first, const char *pointer, struct problem *problem)
{
    const size_t n = encoder_features(encoder);
    for (size_t i = 0; i < count; i++) {
        const size_t feature = (first + i) % n;
        if (encoder_is_inside(encoder, feature, values[i]))
            continue;
        refuse_sample(encoder, (first + i) / n, feature, values[i], pointer, false, problem);
        return false;
    }
    return true;
}

/* --- fitting --- */

enum { SAMPLES_BETWEEN_CHECKS = 64 };

/* False: a stop was requested. */
static bool find_extremes(const struct samples *samples, const struct stop_check *stop_check,
                          float *x_min, float *x_max)
{
    const size_t n = samples->features;
    const bool are_bytes = samples->kind == SAMPLES_BYTES;
    for (size_t i = 0; i < n; i++) {
        x_min[i] = HUGE_VALF;
        x_max[i] = -HUGE_VALF;
    }
    for (size_t b = 0; b < samples->count; b++) {
        if (b % SAMPLES_BETWEEN_CHECKS == 0 && stop_check_requested(stop_check))
            return false;
        for (size_t i = 0; i < n; i++) {
            const size_t at = samples_row(samples, b) * n + i;
            const float x = are_bytes ? samples->data.bytes[at] : samples->data.values[at];
            x_min[i] = x < x_min[i] ? x : x_min[i];
            x_max[i] = x > x_max[i] ? x : x_max[i];
        }
    }
    return true;
}

/* Widens what is too narrow, so that a pixel which is always dark stays at rest, and finds a place
 * for |x_min|/64 even if float32 is coarse there. False: it is too wide. */
static bool make_possible(const struct encoder *encoder, float x_min, float *x_max)
{
    const size_t neurons = encoder_neurons(encoder);
    if (encoder_ranges_are_possible(x_min, *x_max, encoder->type, neurons))
        return true;
    if (*x_max - x_min > LIMIT_RANGE)
        return false;
    *x_max = x_min + fmaxf(1, fabsf(x_min) / 64);
    return encoder_ranges_are_possible(x_min, *x_max, encoder->type, neurons);
}

/* ranges[2][features] are the lowest values, and the highest. */
static bool fit(const struct encoder *encoder, const struct samples *samples, float *ranges,
                struct problem *problem, struct encoder *ret_encoder)
{
    const float *x_min = ranges;
    float *x_max = ranges + samples->features;
    for (size_t i = 0; i < samples->features; i++) {
        if (make_possible(encoder, x_min[i], &x_max[i]))
            continue;
        return problem_set(
            problem, PROBLEM_OUT_OF_RANGE,
            "The feature %zu, counted from 0, can't be fitted: x_max - x_min would be "
            "above %g.",
            i, (double)LIMIT_RANGE);
    }
    return errors_core_ok(encoder_with_ranges(encoder, x_min, x_max, ret_encoder), problem);
}

bool encoder_ranges_fit(const struct encoder *encoder, const struct samples *samples,
                        const struct stop_check *stop_check, struct problem *problem,
                        struct encoder *ret_encoder)
{
    float *ranges = malloc(2 * samples->features * sizeof *ranges);
    if (ranges == NULL)
        return problem_set_no_memory(problem);
    const bool is_known = find_extremes(samples, stop_check, ranges, ranges + samples->features) ||
                          errors_core_ok(CORE_STOPPED, problem);
    const bool fits = is_known && fit(encoder, samples, ranges, problem, ret_encoder);
    free(ranges);
    return fits;
}
