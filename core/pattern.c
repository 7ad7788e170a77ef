#include "pattern.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum core_status pattern_init(struct pattern *pattern, size_t capacity, size_t steps)
{
    uint32_t *block = calloc(steps + 1 + 4 * capacity, sizeof *block);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *pattern = (struct pattern){
        .capacity = capacity,
        .steps = steps,
        .first = block,
        .afferent = block + steps + 1,
        .added_afferent = block + steps + 1 + capacity,
        .lead = (float *)(block + steps + 1 + 2 * capacity),
        .added_time = (float *)(block + steps + 1 + 3 * capacity),
    };
    return CORE_OK;
}

void pattern_finish(struct pattern *pattern)
{
    free(pattern->first);
    *pattern = (struct pattern){0};
}

void pattern_clear(struct pattern *pattern)
{
    pattern->count = 0;
}

void pattern_add(struct pattern *pattern, size_t afferent, float time)
{
    if (time < 0)
        return;
    pattern->added_afferent[pattern->count] = (uint32_t)afferent;
    pattern->added_time[pattern->count] = time;
    pattern->count++;
}

static bool has_effect(const struct pattern *pattern, float time)
{
    return time <= (float)(pattern->steps - 1);
}

/* A counting sort: counts each step's spikes, turns the counts into ends, and fills from the back,
 * which moves every end to its step's first spike and keeps the order of equals. */
void pattern_sort(struct pattern *pattern)
{
    uint32_t *first = pattern->first;
    memset(first, 0, (pattern->steps + 1) * sizeof *first);
    for (size_t i = 0; i < pattern->count; i++) {
        const float time = pattern->added_time[i];
        if (has_effect(pattern, time))
            first[(size_t)ceilf(time)]++;
    }
    for (size_t k = 1; k <= pattern->steps; k++)
        first[k] += first[k - 1];

    pattern->has_leads = false;
    for (size_t i = pattern->count; i-- > 0;) {
        const float time = pattern->added_time[i];
        if (!has_effect(pattern, time))
            continue;
        const float step = ceilf(time);
        const uint32_t at = --first[(size_t)step];
        pattern->afferent[at] = pattern->added_afferent[i];
        pattern->lead[at] = step - time;
        if (step != time)
            pattern->has_leads = true;
    }
}
