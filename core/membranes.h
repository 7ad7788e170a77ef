/* membranes.h - the voltages that an input pattern causes, their maxima, and the way back.
 *
 * They are computed by events, never on the dense grid of afferents times steps: a spike adds its
 * afferent's row of weights to the membranes, and time decays them. grid.c evaluates the steps
 * t = 0 .. T - 1, continuous.c all times between spikes; this file calls the one or the other. */
#ifndef CORE_MEMBRANES_H
#define CORE_MEMBRANES_H

#include <stddef.h>

#include "core/arena.h"
#include "core/credit.h"
#include "core/pattern.h"
#include "core/tempotron.h"
#include "core/timeline.h"

/* Scratch memory and results of one thread. */
struct membranes {
    size_t stride;
    float *v_max;  /* [stride] result: the highest voltage; the padding's are 0 */
    double *t_max; /* [stride] result: its time, that of the first if several are equal */

    /* These are results of membranes_fire(). */
    float *spike; /* [stride] when the voltage first crosses the threshold; -1: never */
    float *slope; /* [stride] of the voltage there, > 0; on the grid that of the line between two
                     steps */

    size_t block; /* the block's number in its layer, for the rows of a background */

    /* CLOCK_GRID: what the spikes of each step add to the membranes; 0 between patterns. */
    float *drive; /* [2][T][stride] to the slow exponential: by even and by odd spikes */
    float *jump;  /* [T][stride] to the voltage: by spikes between two steps */

    /* CLOCK_CONTINUOUS */
    double *slow; /* [stride] the two exponentials */
    double *fast; /* [stride] */
    double *best; /* [stride] v_max/v0 */
};

/* For this tempotron or one with fewer neurons. */
void membranes_init(struct membranes *membranes, const struct tempotron *tempotron,
                    struct arena *arena);

/* Runs a pattern that the timeline has read: fills v_max and t_max, and unless NULL
 * v[out_features][T], the voltages at t = 0 .. T - 1. */
void membranes_run(const struct tempotron *tempotron, const struct pattern *pattern,
                   const struct timeline *timeline, struct membranes *membranes, float *v);

/* The same, and finds each neuron's first crossing of the threshold. */
void membranes_fire(const struct tempotron *tempotron, const struct pattern *pattern,
                    const struct timeline *timeline, struct membranes *membranes);

/* How the loss depends on the voltages: on each neuron's voltage at one time. On the grid, a
 * voltage between two steps lies on the line that connects them. */
struct voltage_gradient {
    const double *at;    /* [stride] */
    const float *amount; /* [stride] dL/dV(at), aligned for vectors; the padding's are 0 */
};

/* Fills in the credit of a pattern that the timeline has read. */
void membranes_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                        const struct timeline *timeline, const struct voltage_gradient *gradient,
                        struct membranes *membranes, struct credit *credit);

/* A maximum on a kink moves with the spike that makes the kink. Adds the loss's derivative by that
 * move, c V'(a) just after the spike, to the spikes' time_gradient[count]; see credit_add_times().
 */
void membranes_follow_kinks(const struct tempotron *tempotron, const struct pattern *pattern,
                            const struct timeline *timeline,
                            const struct voltage_gradient *gradient, float *time_gradient);

/* A membrane that never rose above rest has its maximum at time 0, when no spike can have had an
 * effect, so that it would never learn. Gütig & Sompolinsky let it learn from this time, at which
 * the potential of the last spike peaks. */
double membranes_revival_time(const struct tempotron *tempotron, const struct pattern *pattern);

#endif
