/* membranes.h - the voltages that an input pattern causes, their maxima, and the way back.
 *
 * By events, never on the dense grid of afferents times steps: a spike adds its afferent's row of
 * weights to the membranes, time decays them. grid.c evaluates the model's steps t = 0 .. T - 1,
 * continuous.c the exact course between spikes; here is what both share. */
#ifndef CORE_MEMBRANES_H
#define CORE_MEMBRANES_H

#include <stddef.h>
#include <stdint.h>

#include "core/credit.h"
#include "core/pattern.h"
#include "core/status.h"
#include "core/tempotron.h"
#include "core/timeline.h"

/* Scratch memory and results of one thread, one owned block. */
struct membranes {
    size_t stride;
    float *v_max;  /* [stride] result: the greatest voltage; the padding's are 0 */
    double *t_max; /* [stride] result: its time, the first of equals */

    /* Results of membranes_fire(). */
    float *spike; /* [stride] when the voltage first crosses the threshold; -1: never */
    float *slope; /* [stride] of the voltage there, > 0; on the grid that of the line between two
                     steps */

    size_t block; /* which rows of a rest are the neurons'; see rest.h */

    /* Of CLOCK_GRID: what the spikes of each step add to the membranes; 0 between patterns. */
    float *drive; /* [2][T][stride] to the slow exponential: of even and of odd spikes */
    float *jump;  /* [T][stride] to the voltage, of spikes between two steps */

    /* Of CLOCK_CONTINUOUS. */
    double *slow; /* [stride] the two exponentials */
    double *fast; /* [stride] */
    double *best; /* [stride] v_max/v0 */

    struct timeline timeline; /* of membranes_forward() */
    void *memory;
};

/* For patterns of up to `capacity` spikes, of this tempotron or of one with fewer neurons. */
enum core_status membranes_init(struct membranes *membranes, const struct tempotron *tempotron,
                                size_t capacity);
void membranes_finish(struct membranes *membranes); /* does nothing on a zeroed one */

/* Runs a pattern. Fills v_max and t_max, and v[out_features][T], the voltages at t = 0 .. T - 1,
 * unless NULL. */
void membranes_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                       struct membranes *membranes, float *v);

/* The same with a timeline that has read the pattern. */
void membranes_run(const struct tempotron *tempotron, const struct pattern *pattern,
                   const struct timeline *timeline, struct membranes *membranes, float *v);

/* And with each neuron's first crossing of the threshold. */
void membranes_fire(const struct tempotron *tempotron, const struct pattern *pattern,
                    const struct timeline *timeline, struct membranes *membranes);

/* Where the loss depends on the voltages: on each neuron's at one time, which a line connects with
 * the steps of the grid around it. */
struct voltage_gradient {
    const double *at;    /* [stride] */
    const float *amount; /* [stride] dL/dV(at), aligned for vectors; the padding's are 0 */
};

/* Fills the credit of a pattern that the timeline has read. */
void membranes_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                        const struct timeline *timeline, const struct voltage_gradient *gradient,
                        struct membranes *membranes, struct credit *credit);

/* A maximum on a kink moves with the spike that makes it. Adds what that has to do with the loss,
 * c V'(a) just behind the spike, to the spikes' time_gradient[count]; see credit_add_times(). */
void membranes_follow_kinks(const struct tempotron *tempotron, const struct pattern *pattern,
                            const struct timeline *timeline,
                            const struct voltage_gradient *gradient, float *time_gradient);

/* A membrane that never rose above rest has its maximum at time 0, when no spike can have had an
 * effect, so that it would never learn. Gütig & Sompolinsky let it learn from this time, at which
 * the potential of the last spike peaks. */
double membranes_revival_time(const struct tempotron *tempotron, const struct pattern *pattern);

#endif
