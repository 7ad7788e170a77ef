/* multi_spike.h - outputs that fire many times: the exact times of their spikes, in continuous
 * time.
 *
 * An output fires whenever its voltage reaches the threshold, and is reset by it (Gütig, Science
 * 351, 2016):
 *
 *     V(t) = V0(t) - threshold sum over its own spikes t_s < t of exp(-(t - t_s)/tau)
 *
 * V0 is the voltage without reset, that of tempotron.h. The soma recovers with the membrane's time
 * constant tau, not the synapse's. To touch the threshold is to reach it: V(t_s) = threshold.
 *
 * Between two events, be they input spikes or output spikes, V is a sum of two exponentials: it has
 * one extremum at most, in closed form; a rise to the threshold is concave there, so that Newton's
 * steps from the left never overshoot. As no reset ever raises V, a gap in which V0 stays below the
 * threshold has no spike and is skipped.
 *
 * All is on the window [0, T] of CLOCK_CONTINUOUS, in double precision, and the same bits on every
 * machine. Weights that are not finite give some spikes or none, but no end. */
#ifndef CORE_MULTI_SPIKE_H
#define CORE_MULTI_SPIKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/intervals.h"
#include "core/pattern.h"
#include "core/status.h"
#include "core/tempotron.h"
#include "core/timeline.h"

/* The spikes of one output. */
struct spike_train {
    size_t most;    /* spikes that it has room for */
    size_t count;   /* if it is `most`, there may be others, later */
    double *time;   /* [most] ascending; owned, one block with: */
    double *slope;  /* [most] dV/dt as the threshold is reached, never negative */
    double *credit; /* [most] scratch memory of critical_threshold.c */
    uint32_t *gap;  /* [most] between which events of the input */
};

/* most > 0. */
enum core_status spike_train_init(struct spike_train *train, size_t most);
void spike_train_finish(struct spike_train *train); /* does nothing on a zeroed one */

/* The course of V0 of one output: scratch memory of one thread, one owned block. Gap e lies before
 * the pattern's spike order[e], the last one before T. */
struct multi_spike {
    struct time_constants constants;
    double tau;
    double resets_slow; /* 1: tau is the longer of the time constants, else 0 */
    double t_peak;      /* of the kernel */

    /* Of the pattern. */
    size_t gaps;                     /* its spikes and 1 */
    double *begin;                   /* [capacity + 2] of each gap; of the one after the last: T */
    const struct timeline *timeline; /* that has read it; borrowed */

    /* Of the output: V0(begin + u) = slow exp(-u/constants.slow) + fast exp(-u/constants.fast). */
    double *slow;
    double *fast;
    double *bound; /* V0 is nowhere greater within the gap */

    uint32_t *eligible; /* [eligible_count] the gaps that may have a spike, ascending */
    size_t eligible_count;
};

/* For patterns of up to `capacity` spikes. */
enum core_status multi_spike_init(struct multi_spike *multi_spike, size_t capacity);
void multi_spike_finish(struct multi_spike *multi_spike); /* does nothing on a zeroed one */

/* Takes a pattern without a background, which a timeline of CLOCK_CONTINUOUS has read, and then
 * one output of the tempotron after the other. */
void multi_spike_take_pattern(struct multi_spike *multi_spike, const struct tempotron *tempotron,
                              const struct pattern *pattern, const struct timeline *timeline);
void multi_spike_take_output(struct multi_spike *multi_spike, const struct tempotron *tempotron,
                             const struct pattern *pattern, size_t output);

/* Fires the output at a threshold > 0, until T or until the train is full. */
void multi_spike_fire(struct multi_spike *multi_spike, double threshold, struct spike_train *train);

/* The same in two steps, for many thresholds: the first one chooses the gaps that may have a spike
 * at `least` or more, the second one fires at a threshold >= least. */
void multi_spike_choose(struct multi_spike *multi_spike, double least);
void multi_spike_fire_chosen(const struct multi_spike *multi_spike, double threshold,
                             struct spike_train *train);

/* Fills v[steps], steps <= T + 1, with the voltage of an output that has so fired, at t = 0 ..
 * steps - 1; at the time of a spike, with that before its reset. */
void multi_spike_sample(const struct multi_spike *multi_spike, double threshold,
                        const struct spike_train *train, size_t steps, float *v);

/* The greatest voltage of a stretch of time, where it is and in which gap. */
struct peak {
    double v;
    double time;
    size_t gap;
};

/* The greatest V0 on [0, T], at least 0, which it is at time 0. */
struct peak multi_spike_v_max(const struct multi_spike *multi_spike);

/* The voltage of train's spike number `before` had it gone on to rise: the greatest V in the
 * spike's gap since its begin or the spike before, whichever is later. */
struct peak multi_spike_peak(const struct multi_spike *multi_spike, double threshold,
                             const struct spike_train *train, size_t before);

#endif
