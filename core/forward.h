/* forward.h - the voltages that an input pattern causes, and their maxima.
 *
 * By events: a spike adds its afferent's row of weights to the membranes, a step of the grid
 * decays them (see psp_kernel.h). The cost is O(spikes + T) for an output neuron. */
#ifndef CORE_FORWARD_H
#define CORE_FORWARD_H

#include <stddef.h>
#include <stdint.h>

#include "pattern.h"
#include "status.h"
#include "tempotron.h"

/* Scratch memory and results of one thread; [stride] each, one owned block. */
struct membranes {
    size_t stride;
    float *v;       /* voltage */
    float *m;       /* sum of the weights' slow exponentials */
    float *v_max;   /* result: greatest voltage on the grid */
    int32_t *t_max; /* result: its step, the first of equals */
};

enum core_status membranes_init(struct membranes *membranes, const struct tempotron *tempotron);
void membranes_finish(struct membranes *membranes); /* does nothing on a zeroed one */

/* Runs a sorted pattern. Fills v_max and t_max, and v[out_features][T] unless NULL. */
void forward(const struct tempotron *tempotron, const struct pattern *pattern,
             struct membranes *membranes, float *v);

/* The decision: the output of the greatest v_max, the lowest of equals. */
size_t forward_decide(const float *v_max, size_t out_features);

#endif
