/* credit.h - what each spike of a sample has to do with the sample's loss.
 *
 *     dL/dw_ji = sum over the spikes t_i of c_j K(a_j - t_i)
 *
 * where the loss depends on neuron j's voltage at the time a_j by c_j = dL/dV_j(a_j): of an output
 * the time of its maximum, of a hidden neuron that of its own spike. The term depends on the neuron
 * j and on when the spike was, not on its afferent: it is a table of rows of neurons, of which each
 * spike adds one to its afferent's row of the gradient. On the grid there is a row for each step,
 * on the continuous clock one for each spike.
 *
 * The loss depends on the spikes' own times too, by which it is passed on to the layer below:
 *
 *     dL/dt_i = - sum over j of c_j w_ji K'(a_j - t_i)
 *
 * as if a_j stayed where it is: for a maximum that lies on a spike, see membranes.h. */
#ifndef CORE_CREDIT_H
#define CORE_CREDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/pattern.h"
#include "core/status.h"
#include "core/tempotron.h"
#include "core/timeline.h"

/* Scratch memory of one thread. */
struct credit {
    size_t stride;
    enum tempotron_clock clock;
    bool is_zero; /* c is 0 throughout: the rows are not filled */
    float *rise;  /* [T or capacity][stride] sum of c K(a - t); owned, one block with `fall` */
    float *fall;  /* [T or capacity][stride] sum of c exp(-(a - t)/tau) */
};

/* For patterns of up to `capacity` spikes, of this tempotron or of one with fewer neurons. */
size_t credit_bytes(const struct tempotron *tempotron, size_t capacity); /* that it takes */
enum core_status credit_init(struct credit *credit, const struct tempotron *tempotron,
                             size_t capacity);
void credit_finish(struct credit *credit); /* does nothing on a zeroed one */

/* Adds a pattern's part to the gradient[in_features][stride] (aligned for vectors) of the afferents
 * first .. end - 1. */
void credit_add(const struct credit *credit, const struct pattern *pattern,
                const struct timeline *timeline, size_t first, size_t end, float *gradient);

/* Adds dL/dt of each spike of a pattern to time_gradient[count]. */
void credit_add_times(const struct credit *credit, const struct tempotron *tempotron,
                      const struct pattern *pattern, const struct timeline *timeline,
                      float *time_gradient);

#endif
