/* tempotron.h - one layer of tempotrons: parameters and weights (Gütig & Sompolinsky 2006).
 *
 *     V_j(t) = sum_i w_ji K(t - t_i) over the spikes of the afferents i
 *
 * Threads may share it, since it has no scratch memory; training works on a copy. */
#ifndef CORE_TEMPOTRON_H
#define CORE_TEMPOTRON_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/psp_kernel.h"

/* The times at which the voltage is looked at: grid.h, continuous.h. */
enum tempotron_clock { CLOCK_GRID, CLOCK_CONTINUOUS };

struct tempotron_params {
    enum tempotron_clock clock;
    size_t in_features;  /* afferents */
    size_t out_features; /* output neurons */
    size_t T;            /* the grid's steps are t = 0 .. T - 1, continuous time is [0, T] */
    double tau;          /* != tau_s, both > 0 */
    double tau_s;
    double v_threshold; /* > 0 */
};

struct tempotron {
    struct tempotron_params params;
    struct psp psp;
    size_t stride; /* out_features rounded up to whole vectors; the padding's weights are 0 */
    float *weight; /* [in_features][stride]: an afferent's weights lie side by side */
};

/* The weights are given as [out_features][in_features]; NULL: all are 0. NULL: no memory. */
struct tempotron *tempotron_create(const struct tempotron_params *params, const float *weight,
                                   struct arena *arena);

/* The latest time at which a spike has an effect. */
float tempotron_last(const struct tempotron_params *params);

/* What a pattern of that many spikes costs: about the number of additions. */
uint64_t tempotron_work(const struct tempotron_params *params, size_t spikes);

/* Writes the weights as [out_features][in_features]. */
void tempotron_weight(const struct tempotron *tempotron, float *ret_weight);

/* Draws weight[out_features][in_features] uniformly from +-1/sqrt(in_features): the same numbers
 * as torch.nn.Linear(in_features, out_features, bias=False) after torch.manual_seed(seed). */
void tempotron_draw_weight(uint32_t seed, size_t in_features, size_t out_features,
                           float *ret_weight);

#endif
