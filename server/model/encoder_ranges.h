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
    RANGES_OF_FEATURES, /* x_min and x_max were told for each feature */
    RANGES_SHARED,      /* both are one number, that of every feature */
    RANGES_UNFITTED, /* nowhere yet: those of the encoder say nothing, and it is not to be used */
    RANGES_FITTED    /* a run's samples; a version keeps them */
};

enum range_fault {
    RANGE_POSSIBLE,
    RANGE_EMPTY,      /* x_max is not greater than x_min */
    RANGE_UNRESOLVED, /* float32 can't tell the receptive fields in it apart */
    RANGE_BEYOND      /* LIMIT_RANGE_LEAST, or LIMIT_RANGE */
};

/* What is wrong with the range of a feature that has so many neurons of this type. */
enum range_fault encoder_ranges_check(float x_min, float x_max, enum encoder_type type,
                                      size_t neurons);

/* A value of a feature lies outside of its range, and out_of_range is "reject". */
void encoder_ranges_refuse(const struct encoder *encoder, size_t feature, float value,
                           const char *pointer, struct problem *problem);

/* Where out_of_range is "reject", whether all values of the samples lie in their ranges; samples
 * that are spikes pass. False with the problem set: at "/x/i/k" where `pointer` is of an array,
 * else in words, as there is no pointer into a dataset. */
bool encoder_ranges_hold(const struct encoder *encoder, const struct samples *samples,
                         const char *pointer, bool is_array, struct problem *problem);

/* The same encoder for the ranges of samples, which are values: of each feature from its least to
 * its greatest one. A feature whose values are all the same, or closer together than an encoder can
 * tell apart, has the range from its least value to max(1, |x_min|/64) above. False with the
 * problem set: out_of_memory, or out_of_range where the values of a feature reach farther than
 * LIMIT_RANGE. */
bool encoder_ranges_fit(const struct encoder *encoder, const struct samples *samples,
                        struct problem *problem, struct encoder *ret_encoder);

#endif
