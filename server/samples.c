#include "samples.h"

#include <stdlib.h>
#include <string.h>

void samples_finish(struct samples *samples)
{
    free(samples->values);
    free(samples->label);
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

bool samples_select(const struct samples *samples, const uint32_t *which, size_t count,
                    struct samples *ret_samples)
{
    struct samples selected = {
        .kind = samples->kind, .count = count, .features = samples->features};
    selected.label = select_rows(samples->label, sizeof *samples->label, which, count);
    bool made = selected.label != NULL;
    if (made && samples->kind == SAMPLES_SPIKE_TRAINS) {
        selected.spikes =
            select_rows(samples->spikes, samples->features * sizeof *samples->spikes, which, count);
        made = selected.spikes != NULL && select_times(samples, which, &selected);
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
