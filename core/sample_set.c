#include "core/sample_set.h"

size_t sample_set_capacity(const struct sample_set *set)
{
    size_t most = 0;
    switch (set->kind) {
    case SAMPLE_VALUES:
        return encoder_spikes(set->encoder);
    case SAMPLE_BYTES:
        return set->features * PATTERN_SLACK;
    case SAMPLE_SPIKE_TIMES:
        return set->features;
    case SAMPLE_SPIKE_TRAINS:
        for (size_t b = 0; b < set->count; b++)
            if (set->first[b + 1] - set->first[b] > most)
                most = set->first[b + 1] - set->first[b];
        return most;
    }
    return most;
}

static void add_spike_times(const struct sample_set *set, size_t sample, struct pattern *pattern)
{
    const float *times = set->values + sample * set->features;
    pattern_clear(pattern);
    for (size_t i = 0; i < set->features; i++)
        pattern_add(pattern, i, times[i]);
}

static void add_spike_trains(const struct sample_set *set, size_t sample, struct pattern *pattern)
{
    const uint32_t *spikes = set->spikes + sample * set->features;
    const float *time = set->times + set->first[sample];
    pattern_clear(pattern);
    for (size_t i = 0; i < set->features; i++)
        for (uint32_t k = 0; k < spikes[i]; k++)
            pattern_add(pattern, i, *time++);
}

void sample_set_pattern(const struct sample_set *set, size_t sample, struct pattern *pattern)
{
    switch (set->kind) {
    case SAMPLE_VALUES:
        encoder_encode(set->encoder, set->values + sample * set->features, pattern);
        break;
    case SAMPLE_BYTES:
        byte_table_encode(set->table, set->background, set->bytes + sample * set->features,
                          pattern);
        break;
    case SAMPLE_SPIKE_TIMES:
        add_spike_times(set, sample, pattern);
        break;
    case SAMPLE_SPIKE_TRAINS:
        add_spike_trains(set, sample, pattern);
        break;
    }
}
