/* timeline.h - what depends on the times of a pattern's spikes alone, found once for all the
 * neurons that the pattern reaches, and for the way back. */
#ifndef CORE_TIMELINE_H
#define CORE_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#include "core/pattern.h"
#include "core/psp_kernel.h"
#include "core/status.h"
#include "core/tempotron.h"

/* Of patterns of up to `capacity` spikes; one owned block. */
struct timeline {
    /* Of CLOCK_GRID, for a pattern with spikes between two steps: each enters at the step that
     * follows, decayed and risen for the lead that it has. */
    float *decayed;   /* [capacity] exp(-lead/tau) */
    float *decayed_s; /* [capacity] exp(-lead/tau_s) */
    float *risen;     /* [capacity] K(lead) */

    /* Of CLOCK_CONTINUOUS; see gaps.h. */
    uint32_t *order;    /* [capacity] the spikes by time, equal ones by afferent */
    uint32_t *buffer;   /* [capacity] of their sorting */
    double *decay_slow; /* [capacity + 1] over the gap before each spike, and after the last */
    double *decay_fast; /* [capacity + 1] */
    double *turn;       /* [capacity + 1] decay_fast/decay_slow, where both may be 0 */

    void *memory;
};

enum core_status timeline_init(struct timeline *timeline, enum tempotron_clock clock,
                               size_t capacity);
void timeline_finish(struct timeline *timeline); /* does nothing on a zeroed one */

/* Reads a pattern that a tempotron's membranes are to run. */
void timeline_read(struct timeline *timeline, const struct tempotron *tempotron,
                   const struct pattern *pattern);

#endif
