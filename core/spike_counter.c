#include "core/spike_counter.h"

void spike_counter_init(struct spike_counter *counter, size_t capacity, size_t max_spikes,
                        bool searches, struct arena *arena)
{
    *counter = (struct spike_counter){0};
    multi_spike_init(&counter->multi_spike, capacity, arena);
    spike_train_init(&counter->train, max_spikes, arena);
    if (!searches)
        return;
    critical_search_init(&counter->search, max_spikes, arena);
    counter->credit = arena_reserve(arena, capacity, sizeof *counter->credit);
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
