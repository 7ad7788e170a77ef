#include "server/base/samples.h"

#include <stdlib.h>
#include <string.h>

#include "core/byte_table.h"
#include "core/random.h"

void samples_finish(struct samples *samples)
{
    free(samples->values);
    free(samples->bytes);
    free(samples->label);
    free(samples->wanted);
    free(samples->spikes);
    free(samples->times);
    free(samples->first);
    *samples = (struct samples){0};
}

bool samples_index(struct samples *samples)
{
    size_t *first = malloc((samples->count + 1) * sizeof *first);
    if (first == NULL)
        return false;
    first[0] = 0;
    for (size_t b = 0; b < samples->count; b++) {
        first[b + 1] = first[b];
        for (size_t i = 0; i < samples->features; i++)
            first[b + 1] += samples->spikes[b * samples->features + i];
    }
    samples->first = first;
    return true;
}

bool samples_to_bytes(struct samples *samples)
{
    const size_t count = samples->count * samples->features;
    if (samples->kind != SAMPLES_X)
        return true;
    uint8_t *bytes = malloc(count);
    if (bytes == NULL)
        return false;
    if (!byte_table_convert(samples->values, count, bytes)) {
        free(bytes);
        return true;
    }
    free(samples->values);
    samples->values = NULL;
    samples->bytes = bytes;
    samples->kind = SAMPLES_BYTES;
    return true;
}

bool samples_to_values(struct samples *samples)
{
    const size_t count = samples->count * samples->features;
    if (samples->kind != SAMPLES_BYTES)
        return true;
    float *values = malloc(count * sizeof *values);
    if (values == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        values[i] = samples->bytes[i];
    free(samples->bytes);
    samples->bytes = NULL;
    samples->values = values;
    samples->kind = SAMPLES_X;
    return true;
}

/* Rows of `size` bytes, picked from one array into another, new one; NULL: no memory. */
static void *select_rows(const void *rows, size_t size, const uint32_t *which, size_t count)
{
    char *selected = malloc(count * size);
    for (size_t i = 0; selected != NULL && i < count; i++)
        memcpy(selected + i * size, (const char *)rows + which[i] * size, size);
    return selected;
}

static bool select_times(const struct samples *samples, const uint32_t *which,
                         struct samples *selected)
{
    if (!samples_index(selected))
        return false;
    selected->times = malloc((selected->first[selected->count] + 1) * sizeof *selected->times);
    if (selected->times == NULL)
        return false;
    for (size_t i = 0; i < selected->count; i++)
        memcpy(selected->times + selected->first[i], samples->times + samples->first[which[i]],
               (selected->first[i + 1] - selected->first[i]) * sizeof *selected->times);
    return true;
}

/* Labels, or counts. */
static bool select_aims(const struct samples *samples, const uint32_t *which,
                        struct samples *selected)
{
    if (samples->wanted == NULL) {
        selected->label =
            select_rows(samples->label, sizeof *samples->label, which, selected->count);
        return selected->label != NULL;
    }
    selected->wanted = select_rows(samples->wanted, samples->outputs * sizeof *samples->wanted,
                                   which, selected->count);
    return selected->wanted != NULL;
}

bool samples_select(const struct samples *samples, const uint32_t *which, size_t count,
                    struct samples *ret_samples)
{
    struct samples selected = {.kind = samples->kind,
                               .count = count,
                               .features = samples->features,
                               .outputs = samples->outputs};
    bool made = select_aims(samples, which, &selected);
    if (made && samples->kind == SAMPLES_SPIKE_TRAINS) {
        selected.spikes =
            select_rows(samples->spikes, samples->features * sizeof *samples->spikes, which, count);
        made = selected.spikes != NULL && select_times(samples, which, &selected);
    } else if (made && samples->kind == SAMPLES_BYTES) {
        selected.bytes = select_rows(samples->bytes, samples->features, which, count);
        made = selected.bytes != NULL;
    } else if (made) {
        selected.values =
            select_rows(samples->values, samples->features * sizeof *samples->values, which, count);
        made = selected.values != NULL;
    }
    if (made)
        *ret_samples = selected;
    else
        samples_finish(&selected);
    return made;
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
    const bool made = samples_select(samples, shuffled, drawn, &aside) &&
                      samples_select(samples, shuffled + drawn, count - drawn, &rest);
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
