/* gradient.h - the gradient of a sample's loss with respect to the weights.
 *
 *     dL/dw_ji = sum over the spikes t_i of dL/dv_max_j K(t_max_j - t_i)
 *
 * K(t_max_j - t) depends on the step t and the output j only. The forward pass's recursion, run
 * from t_max down, gives it for every step: a table [T][stride], of which each spike then adds one
 * row to its afferent's gradient. */
#ifndef CORE_GRADIENT_H
#define CORE_GRADIENT_H

#include <stddef.h>
#include <stdint.h>

#include "pattern.h"
#include "status.h"
#include "tempotron.h"

struct gradient {
    size_t in_features;
    size_t stride;
    float *weight; /* result, [in_features][stride]; owned */

    /* Scratch of one sample, one block with the above. */
    float *rise; /* [T][stride] dv K(t_max - t) */
    float *fall; /* [T][stride] dv exp(-(t_max - t)/tau) */
};

enum core_status gradient_init(struct gradient *gradient, const struct tempotron *tempotron);
void gradient_finish(struct gradient *gradient); /* does nothing on a zeroed one */

/* Sets the gradient to 0. */
void gradient_clear(struct gradient *gradient);

/* Adds that of one sorted pattern, dv[stride] being the loss's derivative by v_max, and
 * t_max[stride] the steps of the maxima. Does nothing where dv is 0 throughout. */
void gradient_add(struct gradient *gradient, const struct tempotron *tempotron,
                  const struct pattern *pattern, const float *dv, const int32_t *t_max);

#endif
