/* feature_ranges.h - what all encoders have: the range of each feature, and the latest spike time.
 */
#ifndef CORE_FEATURE_RANGES_H
#define CORE_FEATURE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct feature_ranges {
    size_t n;             /* features */
    float max_spike_time; /* an integer from 1 */
    bool clamps;          /* values into their range, before all else; false after init */
    float *x_min;         /* [n]; owned, one block with: */
    float *x_max;         /* [n] */
    float *width;         /* [n] x_max - x_min, followed by the encoder's own [extra][n] */
};

/* Copies the ranges. x_min < x_max, whose difference is finite, is up to the caller. */
enum core_status feature_ranges_init(struct feature_ranges *ranges, size_t n, size_t extra,
                                     const float *x_min, const float *x_max,
                                     uint32_t max_spike_time);
void feature_ranges_finish(struct feature_ranges *ranges); /* does nothing on a zeroed one */

#endif
