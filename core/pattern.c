#include "core/pattern.h"

void pattern_init(struct pattern *pattern, size_t capacity, float last, struct arena *arena)
{
    const size_t room = capacity + PATTERN_SLACK;
    *pattern = (struct pattern){
        .capacity = capacity,
        .last = last,
        .afferent = arena_reserve(arena, room, sizeof *pattern->afferent),
        .time = arena_reserve(arena, room, sizeof *pattern->time),
        .background_blocks =
            arena_reserve(arena, room / PATTERN_SLACK, sizeof *pattern->background_blocks),
    };
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
