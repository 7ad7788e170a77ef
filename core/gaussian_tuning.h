/* gaussian_tuning.h - encodes a real value into the spike times of m neurons with overlapping
 * Gaussian receptive fields (Bohte, Kok & La Poutré 2002; SpikingJelly's GaussianTuning).
 *
 * For a feature of range [x_min, x_max] and neurons j = 1..m:
 *
 *     delta = (x_max - x_min) / (m - 2)    mu_j = x_min + (2j - 3)/2 delta    sigma = delta / 1.5
 *     g_j   = exp(-(x - mu_j)^2 / (2 sigma^2))
 *     t_j   = rint(max_spike_time (1 - g_j)), half to even; t_j >= max_spike_time: silent, -1
 *
 * All is in float32, as SpikingJelly computes it. A value outside the range is encoded by the same
 * curves, unless the encoder clamps: neurons near that end still respond, less and less the farther
 * outside the value lies, and far outside all of them are silent. Only the few neurons whose
 * centres lie within sigma sqrt(2 ln(2 max_spike_time)) of x can fire. They lie side by side, and
 * the others are never looked at. */
#ifndef CORE_GAUSSIAN_TUNING_H
#define CORE_GAUSSIAN_TUNING_H

#include <stddef.h>
#include <stdint.h>

#include "core/feature_ranges.h"
#include "core/pattern.h"
#include "core/status.h"

enum {
    GAUSSIAN_CANDIDATES = 8, /* the most neurons that one value may fire */
    GAUSSIAN_MAX_SPIKE_TIME = 1 << 22
};

struct gaussian_tuning {
    struct feature_ranges ranges;
    size_t m;          /* neurons a feature, > 2 */
    float reach;       /* how many deltas from x a centre may lie and still fire */
    size_t candidates; /* neurons within reach of a value, <= GAUSSIAN_CANDIDATES */
    float *sigma2;     /* [n] sigma squared; in the ranges' block */
    float *per_delta;  /* [n] 1 / delta; likewise */
};

/* See feature_ranges_init(); m > 2. Free with feature_ranges_finish(). */
enum core_status gaussian_tuning_init(struct gaussian_tuning *tuning, size_t n, size_t m,
                                      const float *x_min, const float *x_max,
                                      uint32_t max_spike_time);

/* Adds the spikes of `count` features of a sample, x[count], the first of which is the feature
 * `first`, to the pattern: feature i's neuron j (0-based) is the afferent i * m + j. */
void gaussian_tuning_add(const struct gaussian_tuning *tuning, size_t first, size_t count,
                         const float *x, struct pattern *pattern);

/* The spike times of all neurons of one feature, times[m]; -1: the neuron is silent. */
void gaussian_tuning_encode(const struct gaussian_tuning *tuning, size_t feature, float x,
                            float *times);

#endif
