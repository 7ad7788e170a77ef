/* spike_counter.h - what one thread needs to count the spikes of a layer's outputs, one sample
 * after the other, and to find the thresholds at which there would be more or fewer. */
#ifndef CORE_SPIKE_COUNTER_H
#define CORE_SPIKE_COUNTER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/critical_threshold.h"
#include "core/layer.h"
#include "core/multi_spike.h"

/* Scratch memory of one thread. */
struct spike_counter {
    struct multi_spike multi_spike;
    struct spike_train train; /* of the output that was counted last */

    /* If thresholds are looked for. */
    struct critical_search search;
    double *credit; /* [capacity] of the input spikes */
};

/* For patterns of up to `capacity` spikes, of whose outputs up to `max_spikes` are counted.
 * `searches`: thresholds are looked for, too. */
void spike_counter_init(struct spike_counter *counter, size_t capacity, size_t max_spikes,
                        bool searches, struct arena *arena);

/* Takes a pattern that comes into the layer, which may have no background. */
void spike_counter_take_pattern(struct spike_counter *counter, const struct layer *layer,
                                const struct pattern *pattern, const struct timeline *timeline);

/* Counts the spikes of one of the layer's outputs; the train holds them. */
size_t spike_counter_count(struct spike_counter *counter, const struct layer *layer,
                           const struct pattern *pattern, size_t output);

#endif
