/* multi_spike.h - outputs that fire many times: the exact times of their spikes, in continuous
 * time.
 *
 * An output fires whenever its voltage reaches the threshold, and is reset by it (Gütig, Science
 * 351, 2016):
 *
 *     V(t) = V0(t) - threshold sum over its own spikes t_s < t of exp(-(t - t_s)/tau)
 *
 * V0 is the voltage without reset, as in tempotron.h. The soma recovers with the membrane's time
 * constant tau, not the synapse's. To touch the threshold is to reach it: V(t_s) = threshold.
 *
 * Between two events, input spikes or output spikes, V is a sum of two exponentials. It has at most
 * one extremum, in closed form, and a rise to the threshold is concave, so that Newton's steps from
 * the left never overshoot. Since no reset ever raises V, an interval in which V0 stays below the
 * threshold has no spike and is skipped.
 *
 * All is on the window [0, T] of CLOCK_CONTINUOUS, in double precision, and has the same bits on
 * every machine. Weights that are not finite give some spikes or none, and it still ends. */
#ifndef CORE_MULTI_SPIKE_H
#define CORE_MULTI_SPIKE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/exponential.h"
#include "core/pattern.h"
#include "core/tempotron.h"
#include "core/timeline.h"

/* The spikes of one output. */
struct spike_train {
    size_t max;         /* spikes that it has room for */
    size_t count;       /* if it is max, there may be others, later */
    double *time;       /* [max] ascending */
    double *slope;      /* [max] dV/dt as the threshold is reached, never negative */
    double *credit;     /* [max] scratch memory of critical_threshold.c */
    uint32_t *interval; /* [max] between which events of the input */
};

void spike_train_init(struct spike_train *train, size_t max, struct arena *arena);

/* V0 of one output over time: scratch memory of one thread. Interval e lies before the pattern's
 * spike order[e], the last interval before T. */
struct multi_spike {
    struct time_constants constants;
    double tau;
    double resets_slow; /* 1: tau is the longer of the time constants, else 0 */
    double t_peak;      /* of the kernel */

    /* These are of the pattern. */
    size_t intervals; /* its spikes and 1 */
    double *begin;    /* [capacity + 2] of each interval; of the one after the last: T */
    const struct timeline *timeline; /* that has read it; borrowed */

    /* These are of the output: V0(begin + u) = slow exp(-u/constants.slow) + fast
     * exp(-u/constants.fast). */
    double *slow;
    double *fast;
    double *bound; /* V0 is nowhere greater within the interval */

    uint32_t *eligible; /* [eligible_count] the intervals that may have a spike, ascending */
    size_t eligible_count;
};

/* A sum over an output's spikes so far, each of which decays with tau. */
struct trace {
    double sum;
    double time; /* of the last spike */
};

static inline double trace_at(const struct trace *trace, double tau, double time)
{
    return trace->sum > 0 ? trace->sum * exp_nonpositive((trace->time - time) / tau) : 0;
}

/* For patterns of up to `capacity` spikes. */
void multi_spike_init(struct multi_spike *multi_spike, size_t capacity, struct arena *arena);

/* Takes a pattern without a background, which a timeline of CLOCK_CONTINUOUS has read, and then
 * one output of the tempotron after the other. */
void multi_spike_take_pattern(struct multi_spike *multi_spike, const struct tempotron *tempotron,
                              const struct pattern *pattern, const struct timeline *timeline);
void multi_spike_take_output(struct multi_spike *multi_spike, const struct tempotron *tempotron,
                             const struct pattern *pattern, size_t output);

/* Fires the output at a threshold > 0 until T, or until the train is full. */
void multi_spike_fire(struct multi_spike *multi_spike, double threshold, struct spike_train *train);

/* The same in two steps, for many thresholds: the first one chooses the intervals that may have a
 * spike at min_threshold or more, the second one fires at a threshold >= min_threshold. */
void multi_spike_choose(struct multi_spike *multi_spike, double min_threshold);
void multi_spike_fire_chosen(const struct multi_spike *multi_spike, double threshold,
                             struct spike_train *train);

/* Fills v[steps], steps <= T + 1, with the voltage of an output that has fired in this way, at t =
 * 0 .. steps - 1; at the time of a spike, with that before its reset. */
void multi_spike_sample(const struct multi_spike *multi_spike, double threshold,
                        const struct spike_train *train, size_t steps, float *v);

/* The highest voltage of a stretch of time, with its time and interval. */
struct peak {
    double v;
    double time;
    size_t interval;
};

/* The highest V0 on [0, T]; it is at least 0, as at time 0. */
struct peak multi_spike_v_max(const struct multi_spike *multi_spike);

/* The voltage that the train's spike number `before` would have reached: the highest V in the
 * spike's interval since its beginning or the spike before, whichever is later. */
struct peak multi_spike_peak(const struct multi_spike *multi_spike, double threshold,
                             const struct spike_train *train, size_t before);

#endif
