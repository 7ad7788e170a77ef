/* latency.h - encodes a real value into the time of one spike: the greater the value, the earlier
 * (SpikingJelly's LatencyEncoder).
 *
 * For a feature of range [x_min, x_max], u = (x - x_min) / (x_max - x_min) and L = max_spike_time -
 * 1:
 *
 *     linear:  t = rint((1 - u) L)
 *     log:     t = rint(L - ln(alpha u + 1))    alpha = exp(L) - 1
 *
 * rint rounds half to even. x_max fires at 0, and a value just above x_min at L. A value at x_min
 * or below is silent, -1 (SpikingJelly lets it fire at L). A value above x_max is silent too, or
 * fires at 0 if the encoder clamps.
 *
 * The linear scale is computed in float32, in this order of operations. The logarithmic one is
 * computed in double precision from the differences in float32, as -ln(u + (1 - u) exp(-L)): that
 * is the same number, and it does not overflow as alpha would. */
#ifndef CORE_LATENCY_H
#define CORE_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#include "core/feature_ranges.h"
#include "core/pattern.h"
#include "core/status.h"

enum latency_scale { LATENCY_LINEAR, LATENCY_LOG };

enum { LATENCY_MAX_SPIKE_TIME = 1 << 22 };

struct latency {
    struct feature_ranges ranges; /* each feature has one neuron */
    enum latency_scale scale;
    double faintest; /* exp(1 - max_spike_time) */
};

/* See feature_ranges_init(). Free with feature_ranges_finish(). */
enum core_status latency_init(struct latency *latency, size_t n, enum latency_scale scale,
                              const float *x_min, const float *x_max, uint32_t max_spike_time);

/* Adds the spikes of `count` features of a sample, x[count], the first of which is the feature
 * `first`, to the pattern: feature i is the afferent i. */
void latency_add(const struct latency *latency, size_t first, size_t count, const float *x,
                 struct pattern *pattern);

/* The spike time of a value of one feature; -1: silent. */
float latency_encode(const struct latency *latency, size_t feature, float x);

#endif
