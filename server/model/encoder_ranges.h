/* encoder_ranges.h - the ranges of an encoder's features: which are possible, which values lie
 * outside, and which fit some samples. */
#ifndef SERVER_MODEL_ENCODER_RANGES_H
#define SERVER_MODEL_ENCODER_RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/encoder.h"
#include "core/samples.h"
#include "server/base/problem.h"

/* Where the ranges of an encoder come from. */
enum encoder_ranges {
    RANGES_OF_FEATURES, /* x_min and x_max are given for each feature */
    RANGES_SHARED,      /* both are one number, for every feature */
    RANGES_UNFITTED,    /* nowhere yet: the encoder has placeholders, and must not be used */
    RANGES_FITTED       /* a run's samples; a version keeps them */
};

/* Whether the range of a feature that has that many neurons of this type is one from
 * LIMIT_RANGE_MIN to LIMIT_RANGE, in which float32 can tell the receptive fields apart. */
bool encoder_ranges_are_possible(float x_min, float x_max, enum encoder_type type, size_t neurons);

/* Adds the value of a feature outside its range to the problem; out_of_range is "reject". */
void encoder_ranges_refuse(const struct encoder *encoder, size_t feature, float value,
                           const char *pointer, struct problem *problem);

/* Whether all values of the samples lie in their ranges; out_of_range is "reject". Spikes pass.
 * False with the problem set: at "/x/i/k" if `pointer` is that of an array, otherwise in words, as
 * there is no pointer into a dataset. */
bool encoder_ranges_hold(const struct encoder *encoder, const struct samples *samples,
                         const char *pointer, bool is_array, struct problem *problem);

/* The same for `count` consecutive values of a dataset, the first of which is the value number
 * `first` of all. */
bool encoder_ranges_hold_values(const struct encoder *encoder, const float *values, size_t count,
                                size_t first, const char *pointer, struct problem *problem);

/* The same encoder for the ranges of samples, which are values: for each feature from its lowest to
 * its highest value. If the values of a feature are all the same, or closer together than an
 * encoder can tell apart, its range reaches from the lowest value to max(1, |x_min|/64) above it.
 * False with the problem set: out_of_memory, out_of_range if a range is wider than LIMIT_RANGE, or
 * shutting_down if a stop was requested. */
bool encoder_ranges_fit(const struct encoder *encoder, const struct samples *samples,
                        const struct stop_check *stop_check, struct problem *problem,
                        struct encoder *ret_encoder);

#endif
