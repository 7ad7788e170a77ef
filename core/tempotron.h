/* tempotron.h - one layer of tempotrons: parameters and weights (Gütig & Sompolinsky 2006).
 *
 *     V_j(t) = sum_i w_ji K(t - t_i) over the spikes of the afferents i
 *
 * Immutable once it is shared: threads share it by reference counts, training works on a copy of
 * its own. */
#ifndef CORE_TEMPOTRON_H
#define CORE_TEMPOTRON_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "psp_kernel.h"
#include "status.h"

struct tempotron_params {
    size_t in_features;  /* afferents */
    size_t out_features; /* output neurons */
    size_t T;            /* steps of the grid: t = 0 .. T - 1 */
    double tau;          /* != tau_s, both > 0 */
    double tau_s;
    double v_threshold; /* > 0 */
};

struct tempotron {
    struct tempotron_params params;
    struct psp psp;
    size_t stride; /* out_features rounded up to whole vectors; the padding's weights are 0 */
    atomic_uint references;
    float *weight; /* [in_features][stride]: an afferent's weights lie side by side */
};

/* Weights given as [out_features][in_features], or all 0 where NULL. The caller holds one
 * reference. */
enum core_status tempotron_create(const struct tempotron_params *params, const float *weight,
                                  struct tempotron **ret_tempotron);

/* A copy to train, with one reference. */
enum core_status tempotron_copy(const struct tempotron *tempotron,
                                struct tempotron **ret_tempotron);

struct tempotron *tempotron_retain(struct tempotron *tempotron);
void tempotron_release(struct tempotron *tempotron); /* the last one frees; takes NULL */

/* Writes the weights as [out_features][in_features]. */
void tempotron_weight(const struct tempotron *tempotron, float *ret_weight);

/* Draws weight[out_features][in_features] uniformly from +-1/sqrt(in_features): the same numbers
 * as torch.nn.Linear(in_features, out_features, bias=False) after torch.manual_seed(seed). */
void tempotron_draw_weight(uint32_t seed, size_t in_features, size_t out_features,
                           float *ret_weight);

#endif
