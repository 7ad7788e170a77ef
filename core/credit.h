/* credit.h - how each spike of a sample contributes to the sample's loss.
 *
 *     dL/dw_ji = sum over the spikes t_i of c_j K(a_j - t_i)
 *
 * The loss depends on neuron j's voltage at the time a_j by c_j = dL/dV_j(a_j). For an output, a_j
 * is the time of its maximum; for a hidden neuron, that of its own spike. The term depends on the
 * neuron j and on the time of the spike, not on its afferent. So the credit is a table of rows of
 * neurons, `rise`, and each spike adds one row to its afferent's row of the gradient. On the grid
 * there is a row for each step, on the continuous clock one for each spike.
 *
 * The loss also depends on the times of the spikes, by which it is passed on to the layer below:
 *
 *     dL/dt_i = - sum over j of c_j w_ji K'(a_j - t_i)
 *
 * as if a_j did not move. K' is a sum of K and exp(-t/tau), and the rows of `fall` are those of
 * `rise` with the latter in place of K. For a maximum that lies on a spike, see
 * membranes_follow_kinks(). */
#ifndef CORE_CREDIT_H
#define CORE_CREDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/pattern.h"
#include "core/tempotron.h"
#include "core/timeline.h"

/* Scratch memory of one thread. */
struct credit {
    size_t stride;
    enum tempotron_clock clock;
    bool is_zero; /* every c is 0, and the rows are not filled */
    float *rise;  /* [T or capacity][stride] sum of c K(a - t); */
    float *fall;  /* [T or capacity][stride] sum of c exp(-(a - t)/tau) */
};

/* For patterns of up to `capacity` spikes, and this tempotron or one with fewer neurons. */
void credit_init(struct credit *credit, const struct tempotron *tempotron, size_t capacity,
                 struct arena *arena);

/* Adds a pattern's part to gradient[in_features][stride], which is aligned for vectors, in the rows
 * of the afferents first .. end - 1. The timeline has read the pattern. */
void credit_add(const struct credit *credit, const struct pattern *pattern,
                const struct timeline *timeline, size_t first, size_t end, float *gradient);

/* Adds dL/dt of each spike of a pattern to time_gradient[count]. */
void credit_add_times(const struct credit *credit, const struct tempotron *tempotron,
                      const struct pattern *pattern, const struct timeline *timeline,
                      float *time_gradient);

#endif
