/* pattern.h - one input pattern: the spikes of a sample, in the order of their afferents. */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"

/* An encoder writes its few candidates before it knows which of them fire: a pattern has memory for
 * that many spikes more than its capacity. */
enum { PATTERN_SLACK = 8 };

struct background;

struct pattern {
    size_t capacity; /* spikes it can hold */
    float last;      /* the latest time at which a spike has an effect; later ones are not kept */
    size_t count;    /* spikes kept */
    bool fired;      /* some afferent spiked, even if too late */
    bool fractional; /* some time is no integer */
    uint32_t *afferent; /* [capacity] ascending; an afferent may have several spikes */
    float *time;        /* [capacity] 0 <= time <= last */

    /* Blocks of features whose spikes are left to the background; see background.h. */
    const struct background *background; /* borrowed; NULL: there are none */
    size_t background_count;
    uint32_t *background_blocks; /* [capacity / PATTERN_SLACK] ascending */
};

/* Room for `capacity` spikes up to the time `last`. Scratch memory: one for each thread. */
void pattern_init(struct pattern *pattern, size_t capacity, float last, struct arena *arena);

static inline void pattern_clear(struct pattern *pattern)
{
    pattern->count = pattern->background_count = 0;
    pattern->fired = pattern->fractional = false;
}

/* Adds a spike; a negative time or NaN is silence and adds nothing. At most `capacity` spikes may
 * be added, by ascending afferent. */
void pattern_add(struct pattern *pattern, size_t afferent, float time);

#endif
