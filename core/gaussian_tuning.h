/* gaussian_tuning.h - encodes a real value into the spike times of m neurons with overlapping
 * Gaussian receptive fields (Bohte, Kok & La Poutré 2002; SpikingJelly's GaussianTuning).
 *
 * For a feature of range [x_min, x_max] and neurons j = 1..m:
 *
 *     delta = (x_max - x_min) / (m - 2)    mu_j = x_min + (2j - 3)/2 delta    sigma = delta / 1.5
 *     g_j   = exp(-(x - mu_j)^2 / (2 sigma^2))
 *     t_j   = rint(max_spike_time (1 - g_j)), half to even; t_j >= max_spike_time: silent, -1
 *
 * in float32, so that every spike time equals SpikingJelly's. A value far outside the range
 * leaves all its neurons silent. */
#ifndef CORE_GAUSSIAN_TUNING_H
#define CORE_GAUSSIAN_TUNING_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct gaussian_tuning {
    size_t n;             /* features */
    size_t m;             /* neurons a feature, > 2 */
    float max_spike_time; /* a positive integer */
    float reach;          /* how many deltas from x a centre may lie and still fire */
    float *x_min;         /* [n]; owned, one block with the three below */
    float *x_max;         /* [n] */
    float *range;         /* [n] x_max - x_min */
    float *sigma2;        /* [n] sigma squared */
};

/* Copies the ranges. m > 2 and x_min < x_max (as float32) for every feature are the caller's to
 * check. */
enum core_status gaussian_tuning_init(struct gaussian_tuning *tuning, size_t n, size_t m,
                                      const float *x_min, const float *x_max,
                                      uint32_t max_spike_time);
void gaussian_tuning_finish(struct gaussian_tuning *tuning); /* does nothing on a zeroed one */

/* The neurons that may fire for x: [*first, *last), 0-based; the others are silent. */
void gaussian_tuning_reach(const struct gaussian_tuning *tuning, size_t feature, float x,
                           size_t *first, size_t *last);

/* The spike time of neuron j (0-based), or -1. */
float gaussian_tuning_spike_time(const struct gaussian_tuning *tuning, size_t feature, size_t j,
                                 float x);

/* The spike times of all neurons of a feature: times[m]. */
void gaussian_tuning_encode(const struct gaussian_tuning *tuning, size_t feature, float x,
                            float *times);

#endif
