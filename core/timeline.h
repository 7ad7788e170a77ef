/* timeline.h - what depends only on the times of a pattern's spikes. It is found once for all
 * neurons that the pattern reaches, and for the way back.
 *
 * The continuous clock goes from spike to spike. Within such an interval every voltage is a sum of
 * two exponentials. The kernel is the same whichever of tau and tau_s is longer, if v0 changes its
 * sign: `slow` is the longer one, `fast` the shorter. */
#ifndef CORE_TIMELINE_H
#define CORE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/pattern.h"
#include "core/tempotron.h"

struct time_constants {
    double slow;
    double fast;
    double v0; /* > 0 */
};

struct time_constants time_constants(const struct psp *psp);

/* For patterns of up to `capacity` spikes. */
struct timeline {
    /* CLOCK_GRID, for a pattern with spikes between two steps: a spike enters at the step that
     * follows, which it leads by `lead`. */
    float *decayed;   /* [capacity] exp(-lead/tau) */
    float *decayed_s; /* [capacity] exp(-lead/tau_s) */
    float *risen;     /* [capacity] K(lead) */

    /* CLOCK_CONTINUOUS */
    uint32_t *order;    /* [capacity] the spikes by time, equal ones by afferent */
    uint32_t *buffer;   /* [capacity] for sorting */
    double *decay_slow; /* [capacity + 1] over the interval before each spike, and after the last */
    double *decay_fast; /* [capacity + 1] */
    double *turn;       /* [capacity + 1] decay_fast/decay_slow, also if both are 0 */
};

void timeline_init(struct timeline *timeline, enum tempotron_clock clock, size_t capacity,
                   struct arena *arena);

/* Reads a pattern before a tempotron's membranes run it. */
void timeline_read(struct timeline *timeline, const struct tempotron *tempotron,
                   const struct pattern *pattern);

#endif
