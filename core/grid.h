/* grid.h - the clock of steps, t = 0 .. T - 1, as SpikingJelly evaluates it.
 *
 * Forward, a spike at time t enters at step k = ceil(t), and a step of the grid decays the
 * membranes (psp_kernel.h). The cost is O(spikes + T) for an output. Backward, the same recursion
 * runs from the maxima down. */
#ifndef CORE_GRID_H
#define CORE_GRID_H

#include "core/membranes.h"

void grid_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                  const struct timeline *timeline, struct membranes *membranes, float *v);
void grid_fire(const struct tempotron *tempotron, const struct pattern *pattern,
               const struct timeline *timeline, struct membranes *membranes);
void grid_backward(const struct tempotron *tempotron, const struct voltage_gradient *gradient,
                   struct credit *credit);

/* The same if the loss depends on the voltage at every step: amounts[T][stride] are dL/dV, aligned
 * for vectors. */
void grid_backward_steps(const struct tempotron *tempotron, const float *amounts,
                         struct credit *credit);

#endif
