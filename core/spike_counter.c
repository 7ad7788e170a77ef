#include "core/spike_counter.h"

#include <stdlib.h>

enum core_status spike_counter_init(struct spike_counter *counter, size_t capacity,
                                    size_t max_spikes, bool searches)
{
    *counter = (struct spike_counter){0};
    enum core_status status = multi_spike_init(&counter->multi_spike, capacity);
    if (status == CORE_OK)
        status = spike_train_init(&counter->train, max_spikes);
    if (status == CORE_OK && searches)
        status = critical_search_init(&counter->search, max_spikes);
    if (status == CORE_OK && searches) {
        counter->credit = malloc((capacity + 1) * sizeof *counter->credit);
        status = counter->credit != NULL ? CORE_OK : CORE_NO_MEMORY;
    }
    if (status != CORE_OK)
        spike_counter_finish(counter);
    return status;
}

void spike_counter_finish(struct spike_counter *counter)
{
    multi_spike_finish(&counter->multi_spike);
    spike_train_finish(&counter->train);
    critical_search_finish(&counter->search);
    free(counter->credit);
    *counter = (struct spike_counter){0};
}

void spike_counter_take_pattern(struct spike_counter *counter, const struct layer *layer,
                                const struct pattern *pattern, const struct timeline *timeline)
{
    multi_spike_take_pattern(&counter->multi_spike, layer->blocks[0], pattern, timeline);
}

size_t spike_counter_count(struct spike_counter *counter, const struct layer *layer,
                           const struct pattern *pattern, size_t output)
{
    const struct tempotron *block = layer->blocks[output / BLOCK_NEURONS];
    multi_spike_take_output(&counter->multi_spike, block, pattern, output % BLOCK_NEURONS);
    multi_spike_fire(&counter->multi_spike, block->params.v_threshold, &counter->train);
    return counter->train.count;
}
