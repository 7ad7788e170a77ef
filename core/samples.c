#include "core/samples.h"

#include <stdlib.h>

#include "core/random.h"

/* --- memory --- */

static void finish_data(struct samples *samples)
{
    switch (samples->kind) {
    case SAMPLES_VALUES:
    case SAMPLES_SPIKE_TIMES:
        free(samples->data.values);
        break;
    case SAMPLES_BYTES:
    case SAMPLES_BYTE_TIMES:
        free(samples->data.bytes);
        break;
    case SAMPLES_SPIKE_TRAINS:
        free(samples->data.trains.spikes);
        free(samples->data.trains.times);
        free(samples->data.trains.first);
        break;
    }
}

static void finish_targets(struct targets *targets)
{
    switch (targets->kind) {
    case TARGETS_NONE:
        break;
    case TARGETS_CLASS:
        free(targets->label);
        break;
    case TARGETS_COUNT:
        free(targets->wanted);
        break;
    }
}

void samples_finish(struct samples *samples)
{
    finish_data(samples);
    finish_targets(&samples->targets);
    *samples = (struct samples){0};
}

bool samples_index(struct samples *samples)
{
    struct spike_trains *trains = &samples->data.trains;
    size_t *first = malloc((samples->count + 1) * sizeof *first);
    if (first == NULL)
        return false;
    first[0] = 0;
    for (size_t b = 0; b < samples->count; b++) {
        first[b + 1] = first[b];
        for (size_t i = 0; i < samples->features; i++)
            first[b + 1] += trains->spikes[b * samples->features + i];
    }
    trains->first = first;
    return true;
}

/* --- patterns --- */

bool samples_are_encoded(const struct samples *samples)
{
    return samples->kind == SAMPLES_VALUES || samples->kind == SAMPLES_BYTES;
}

size_t samples_mean_length(const struct samples *samples)
{
    return samples->kind == SAMPLES_SPIKE_TRAINS
               ? samples->data.trains.first[samples->count] / samples->count
               : 0;
}

static size_t data_bytes(const struct samples *samples)
{
    const size_t numbers = samples->count * samples->features;
    switch (samples->kind) {
    case SAMPLES_VALUES:
    case SAMPLES_SPIKE_TIMES:
        return numbers * sizeof *samples->data.values;
    case SAMPLES_BYTES:
    case SAMPLES_BYTE_TIMES:
        return numbers;
    case SAMPLES_SPIKE_TRAINS:
        return numbers * sizeof *samples->data.trains.spikes +
               (samples->count + 1) * sizeof *samples->data.trains.first +
               samples->data.trains.first[samples->count] * sizeof *samples->data.trains.times;
    }
    return 0;
}

size_t samples_bytes(const struct samples *samples)
{
    size_t targets = 0; /* numbers, a sample */
    switch (samples->targets.kind) {
    case TARGETS_NONE:
        break;
    case TARGETS_CLASS:
        targets = 1;
        break;
    case TARGETS_COUNT:
        targets = samples->targets.outputs;
        break;
    }
    return data_bytes(samples) + samples->count * targets * sizeof(uint32_t);
}

static size_t longest_trains(const struct samples *samples)
{
    size_t max = 0;
    for (size_t b = 0; b < samples->count; b++) {
        const size_t *first = samples->data.trains.first + samples_row(samples, b);
        max = first[1] - first[0] > max ? first[1] - first[0] : max;
    }
    return max;
}

size_t samples_capacity(const struct samples *samples, const struct encoding *encoding)
{
    switch (samples->kind) {
    case SAMPLES_VALUES:
        return encoder_spikes(encoding->encoder);
    case SAMPLES_BYTES:
        return encoding_takes_bytes(encoding) ? samples->features * PATTERN_SLACK
                                              : encoder_spikes(encoding->encoder);
    case SAMPLES_SPIKE_TIMES:
    case SAMPLES_BYTE_TIMES:
        return samples->features;
    case SAMPLES_SPIKE_TRAINS:
        return longest_trains(samples);
    }
    return 0;
}

static void add_spike_times(const struct samples *samples, size_t row, struct pattern *pattern)
{
    const float *times = samples->data.values + row * samples->features;
    pattern_clear(pattern);
    for (size_t i = 0; i < samples->features; i++)
        pattern_add(pattern, i, times[i]);
}

static void add_byte_times(const struct samples *samples, size_t row, struct pattern *pattern)
{
    const uint8_t *times = samples->data.bytes + row * samples->features;
    pattern_clear(pattern);
    for (size_t i = 0; i < samples->features; i++)
        pattern_add(pattern, i, times[i]);
}

static void add_spike_trains(const struct samples *samples, size_t row, struct pattern *pattern)
{
    const struct spike_trains *trains = &samples->data.trains;
    const uint32_t *spikes = trains->spikes + row * samples->features;
    const float *time = trains->times + trains->first[row];
    pattern_clear(pattern);
    for (size_t i = 0; i < samples->features; i++)
        for (uint32_t k = 0; k < spikes[i]; k++)
            pattern_add(pattern, i, *time++);
}

static void encode_bytes(const struct encoding *encoding, const uint8_t *x, struct pattern *pattern)
{
    if (encoding_takes_bytes(encoding))
        byte_table_encode(&encoding->byte_table, encoding->background, x, pattern);
    else
        encoder_encode_bytes(encoding->encoder, x, pattern);
}

void samples_pattern(const struct samples *samples, const struct encoding *encoding, size_t sample,
                     struct pattern *pattern)
{
    const size_t row = samples_row(samples, sample), first = row * samples->features;
    switch (samples->kind) {
    case SAMPLES_VALUES:
        encoder_encode(encoding->encoder, samples->data.values + first, pattern);
        break;
    case SAMPLES_BYTES:
        encode_bytes(encoding, samples->data.bytes + first, pattern);
        break;
    case SAMPLES_SPIKE_TIMES:
        add_spike_times(samples, row, pattern);
        break;
    case SAMPLES_SPIKE_TRAINS:
        add_spike_trains(samples, row, pattern);
        break;
    case SAMPLES_BYTE_TIMES:
        add_byte_times(samples, row, pattern);
        break;
    }
}

/* --- bytes --- */

void samples_suit(struct samples *samples, const struct encoding *encoding)
{
    const size_t count = samples->count * samples->features;
    if (samples->kind != SAMPLES_VALUES || count == 0 || !encoding_takes_bytes(encoding) ||
        !byte_table_convert(samples->data.values, count))
        return;
    uint8_t *bytes = (uint8_t *)samples->data.values;
    uint8_t *shorter = realloc(bytes, count);
    samples->data.bytes = shorter != NULL ? shorter : bytes;
    samples->kind = SAMPLES_BYTES;
}

/* --- picking some --- */

uint32_t *samples_shuffled(size_t count, uint32_t seed, const struct stop_check *stop_check)
{
    struct random random;
    uint32_t *shuffled = malloc(count * sizeof *shuffled);
    if (shuffled == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        shuffled[i] = (uint32_t)i;
    random_init(&random, seed);
    if (random_shuffle(&random, shuffled, count, stop_check))
        return shuffled;
    free(shuffled);
    return NULL;
}

struct samples samples_view(const struct samples *samples, const uint32_t *rows, size_t count)
{
    struct samples view = *samples;
    view.rows = rows;
    view.count = count;
    return view;
}
