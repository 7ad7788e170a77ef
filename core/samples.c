#include "core/samples.h"

#include <stdlib.h>
#include <string.h>

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

static size_t longest_trains(const struct samples *samples)
{
    const size_t *first = samples->data.trains.first;
    size_t max = 0;
    for (size_t b = 0; b < samples->count; b++)
        if (first[b + 1] - first[b] > max)
            max = first[b + 1] - first[b];
    return max;
}

size_t samples_capacity(const struct samples *samples, const struct encoding *encoding)
{
    switch (samples->kind) {
    case SAMPLES_VALUES:
        return encoder_spikes(encoding->encoder);
    case SAMPLES_BYTES:
        return samples->features * PATTERN_SLACK;
    case SAMPLES_SPIKE_TIMES:
        return samples->features;
    case SAMPLES_SPIKE_TRAINS:
        return longest_trains(samples);
    }
    return 0;
}

static void add_spike_times(const struct samples *samples, size_t sample, struct pattern *pattern)
{
    const float *times = samples->data.values + sample * samples->features;
    pattern_clear(pattern);
    for (size_t i = 0; i < samples->features; i++)
        pattern_add(pattern, i, times[i]);
}

static void add_spike_trains(const struct samples *samples, size_t sample, struct pattern *pattern)
{
    const struct spike_trains *trains = &samples->data.trains;
    const uint32_t *spikes = trains->spikes + sample * samples->features;
    const float *time = trains->times + trains->first[sample];
    pattern_clear(pattern);
    for (size_t i = 0; i < samples->features; i++)
        for (uint32_t k = 0; k < spikes[i]; k++)
            pattern_add(pattern, i, *time++);
}

void samples_pattern(const struct samples *samples, const struct encoding *encoding, size_t sample,
                     struct pattern *pattern)
{
    const size_t first = sample * samples->features;
    switch (samples->kind) {
    case SAMPLES_VALUES:
        encoder_encode(encoding->encoder, samples->data.values + first, pattern);
        break;
    case SAMPLES_BYTES:
        byte_table_encode(&encoding->byte_table, encoding->background, samples->data.bytes + first,
                          pattern);
        break;
    case SAMPLES_SPIKE_TIMES:
        add_spike_times(samples, sample, pattern);
        break;
    case SAMPLES_SPIKE_TRAINS:
        add_spike_trains(samples, sample, pattern);
        break;
    }
}

/* --- bytes --- */

static bool to_bytes(struct samples *samples)
{
    const size_t count = samples->count * samples->features;
    if (samples->kind != SAMPLES_VALUES)
        return true;
    uint8_t *bytes = malloc(count);
    if (bytes == NULL)
        return false;
    if (!byte_table_convert(samples->data.values, count, bytes)) {
        free(bytes);
        return true;
    }
    free(samples->data.values);
    samples->data.bytes = bytes;
    samples->kind = SAMPLES_BYTES;
    return true;
}

static bool to_values(struct samples *samples)
{
    const size_t count = samples->count * samples->features;
    if (samples->kind != SAMPLES_BYTES)
        return true;
    float *values = malloc(count * sizeof *values);
    if (values == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        values[i] = samples->data.bytes[i];
    free(samples->data.bytes);
    samples->data.values = values;
    samples->kind = SAMPLES_VALUES;
    return true;
}

bool samples_suit(struct samples *samples, const struct encoding *encoding)
{
    return encoding_takes_bytes(encoding) ? to_bytes(samples) : to_values(samples);
}

/* --- picking some --- */

/* Rows of `size` bytes, picked from one array into another, new one; NULL: no memory. */
static void *select_rows(const void *rows, size_t size, const uint32_t *which, size_t count)
{
    char *selected = malloc(count * size);
    for (size_t i = 0; selected != NULL && i < count; i++)
        memcpy(selected + i * size, (const char *)rows + which[i] * size, size);
    return selected;
}

static bool select_trains(const struct samples *samples, const uint32_t *which,
                          struct samples *selected)
{
    const struct spike_trains *from = &samples->data.trains;
    struct spike_trains *to = &selected->data.trains;
    to->spikes =
        select_rows(from->spikes, samples->features * sizeof *to->spikes, which, selected->count);
    if (to->spikes == NULL || !samples_index(selected))
        return false;
    to->times = malloc((to->first[selected->count] + 1) * sizeof *to->times);
    if (to->times == NULL)
        return false;
    for (size_t i = 0; i < selected->count; i++)
        memcpy(to->times + to->first[i], from->times + from->first[which[i]],
               (to->first[i + 1] - to->first[i]) * sizeof *to->times);
    return true;
}

static bool select_data(const struct samples *samples, const uint32_t *which,
                        struct samples *selected)
{
    const size_t features = samples->features, count = selected->count;
    const union samples_data *from = &samples->data;
    union samples_data *to = &selected->data;
    switch (samples->kind) {
    case SAMPLES_VALUES:
    case SAMPLES_SPIKE_TIMES:
        to->values = select_rows(from->values, features * sizeof *to->values, which, count);
        return to->values != NULL;
    case SAMPLES_BYTES:
        to->bytes = select_rows(from->bytes, features, which, count);
        return to->bytes != NULL;
    case SAMPLES_SPIKE_TRAINS:
        return select_trains(samples, which, selected);
    }
    return false;
}

static bool select_targets(const struct targets *from, const uint32_t *which, size_t count,
                           struct targets *to)
{
    switch (from->kind) {
    case TARGETS_NONE:
        return true;
    case TARGETS_CLASS:
        to->label = select_rows(from->label, sizeof *to->label, which, count);
        return to->label != NULL;
    case TARGETS_COUNT:
        to->wanted = select_rows(from->wanted, from->outputs * sizeof *to->wanted, which, count);
        return to->wanted != NULL;
    }
    return false;
}

static bool select_samples(const struct samples *samples, const uint32_t *which, size_t count,
                           struct samples *ret_samples)
{
    struct samples selected = {
        .kind = samples->kind,
        .count = count,
        .features = samples->features,
        .targets = {.kind = samples->targets.kind, .outputs = samples->targets.outputs},
    };
    if (!select_data(samples, which, &selected) ||
        !select_targets(&samples->targets, which, count, &selected.targets)) {
        samples_finish(&selected);
        return false;
    }
    *ret_samples = selected;
    return true;
}

bool samples_split(struct samples *samples, uint32_t seed, size_t drawn, struct samples *ret_aside)
{
    struct random random;
    struct samples rest = {0}, aside = {0};
    const size_t count = samples->count;
    uint32_t *shuffled = malloc(count * sizeof *shuffled);
    if (shuffled == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        shuffled[i] = (uint32_t)i;
    random_init(&random, seed);
    random_shuffle(&random, shuffled, count);
    const bool made = select_samples(samples, shuffled, drawn, &aside) &&
                      select_samples(samples, shuffled + drawn, count - drawn, &rest);
    free(shuffled);
    if (!made) {
        samples_finish(&aside);
        return false;
    }
    samples_finish(samples);
    *samples = rest;
    *ret_aside = aside;
    return true;
}
