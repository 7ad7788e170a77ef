/* membranes.h - the voltages that an input pattern causes, their maxima, and the way back.
 *
 * By events, never on the dense grid of afferents times steps: a spike adds its afferent's row of
 * weights to the membranes, time decays them. grid.c evaluates the model's steps t = 0 .. T - 1,
 * continuous.c the exact course between spikes; here is what both share. */
#ifndef CORE_MEMBRANES_H
#define CORE_MEMBRANES_H

#include <stddef.h>
#include <stdint.h>

#include "credit.h"
#include "pattern.h"
#include "status.h"
#include "tempotron.h"

/* Scratch memory and results of one thread, one owned block. */
struct membranes {
    size_t stride;
    float *v_max;  /* [stride] result: the greatest voltage; the padding's are 0 */
    double *t_max; /* [stride] result: its time, the first of equals */

    /* Of CLOCK_GRID: what the spikes of each step add to the membranes; 0 between patterns. */
    float *drive; /* [2][T][stride] to the slow exponential: of even and of odd spikes */
    float *jump;  /* [T][stride] to the voltage, of spikes between two steps */

    /* Of CLOCK_CONTINUOUS. */
    uint32_t *order;    /* [capacity] the spikes by time */
    uint32_t *buffer;   /* [capacity] of their sorting */
    double *decay_slow; /* [capacity + 1] over the gap before each spike, and after the last */
    double *decay_fast; /* [capacity + 1] */
    double *turn;       /* [capacity + 1] decay_fast/decay_slow, where both may be 0 */
    double *slow;       /* [stride] the two exponentials */
    double *fast;       /* [stride] */
    double *best;       /* [stride] v_max/v0 */
};

/* For patterns of up to `capacity` spikes. */
enum core_status membranes_init(struct membranes *membranes, const struct tempotron *tempotron,
                                size_t capacity);
void membranes_finish(struct membranes *membranes); /* does nothing on a zeroed one */

/* Runs a pattern. Fills v_max and t_max, and v[out_features][T], the voltages at t = 0 .. T - 1,
 * unless NULL. */
void membranes_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                       struct membranes *membranes, float *v);

/* Fills the credit of the same pattern from where its maxima are, dv[stride] (aligned for vectors)
 * being the loss's derivative by v_max. */
void membranes_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                        struct membranes *membranes, const float *dv, struct credit *credit);

/* The decision: the output of the greatest v_max, the lowest of equals. */
size_t membranes_decide(const struct membranes *membranes, size_t out_features);

#endif
