#include "core/pattern.h"

#include <stdlib.h>

enum core_status pattern_init(struct pattern *pattern, size_t capacity, float last)
{
    const size_t room = capacity + PATTERN_SLACK;
    uint32_t *block = malloc((2 * room + room / PATTERN_SLACK) * sizeof *block);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *pattern = (struct pattern){
        .capacity = capacity,
        .last = last,
        .afferent = block,
        .time = (float *)(block + room),
        .background_blocks = block + 2 * room,
    };
    return CORE_OK;
}

void pattern_finish(struct pattern *pattern)
{
    free(pattern->afferent);
    *pattern = (struct pattern){0};
}

void pattern_add(struct pattern *pattern, size_t afferent, float time)
{
    if (!(time >= 0)) /* NaN is silence too */
        return;
    pattern->fired = true;
    if (time > pattern->last)
        return;
    pattern->afferent[pattern->count] = (uint32_t)afferent;
    pattern->time[pattern->count] = time + 0.0f; /* never -0.0 */
    pattern->count++;
    if (time != (float)(int32_t)time)
        pattern->fractional = true;
}
