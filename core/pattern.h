/* pattern.h - one input pattern: the spikes of a sample, and the same spikes in order of time.
 *
 * On the grid a spike at time t enters at step k = ceil(t). Its lead, k - t, is 0 for spikes that
 * an encoder made; recorded ones may lie between two steps. */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct pattern {
    size_t capacity; /* spikes it can hold */
    size_t steps;    /* T */
    size_t count;    /* spikes added; those after step T - 1 count, though they have no effect */

    /* By pattern_sort(): the spikes of step k are afferent[first[k]] .. afferent[first[k + 1] - 1].
     */
    bool has_leads;     /* some lead is not 0 */
    uint32_t *first;    /* [steps + 1] */
    uint32_t *afferent; /* [capacity] */
    float *lead;        /* [capacity] k - t */

    uint32_t *added_afferent; /* [capacity], as they were added */
    float *added_time;        /* [capacity] */
};

/* Room for `capacity` spikes on a grid of `steps`. Scratch memory: one for each thread. */
enum core_status pattern_init(struct pattern *pattern, size_t capacity, size_t steps);
void pattern_finish(struct pattern *pattern); /* does nothing on a zeroed one */

void pattern_clear(struct pattern *pattern);

/* Adds a spike; a negative time is silence and adds nothing. At most `capacity` may be added. */
void pattern_add(struct pattern *pattern, size_t afferent, float time);

/* Puts the spikes in order of their step, those of one step in the order they were added. */
void pattern_sort(struct pattern *pattern);

#endif
