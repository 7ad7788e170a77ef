#include "core/timeline.h"

#include <math.h>

#include "core/exponential.h"
#include "core/intervals.h"
#include "core/simd.h"

void timeline_init(struct timeline *timeline, enum tempotron_clock clock, size_t capacity,
                   struct arena *arena)
{
    *timeline = (struct timeline){0};
    switch (clock) {
    case CLOCK_GRID:
        timeline->decayed = arena_reserve(arena, capacity, sizeof *timeline->decayed);
        timeline->decayed_s = arena_reserve(arena, capacity, sizeof *timeline->decayed_s);
        timeline->risen = arena_reserve(arena, capacity, sizeof *timeline->risen);
        break;
    case CLOCK_CONTINUOUS:
        timeline->order = arena_reserve(arena, capacity, sizeof *timeline->order);
        timeline->buffer = arena_reserve(arena, capacity, sizeof *timeline->buffer);
        timeline->decay_slow = arena_reserve(arena, capacity + 1, sizeof *timeline->decay_slow);
        timeline->decay_fast = arena_reserve(arena, capacity + 1, sizeof *timeline->decay_fast);
        timeline->turn = arena_reserve(arena, capacity + 1, sizeof *timeline->turn);
        break;
    }
}

VECTORIZED static void find_leads(const struct pattern *pattern, const struct psp *psp,
                                  struct timeline *timeline)
{
    const double tau = psp->tau, tau_s = psp->tau_s, v0 = psp->v0;
    const float *restrict time = pattern->time;
    float *restrict decayed = timeline->decayed, *restrict decayed_s = timeline->decayed_s;
    float *restrict risen = timeline->risen;
    for (size_t s = 0; s < pattern->count; s++) {
        const double lead = (double)(ceilf(time[s]) - time[s]);
        const double slow = exp_nonpositive(-lead / tau), fast = exp_nonpositive(-lead / tau_s);
        decayed[s] = (float)slow;
        decayed_s[s] = (float)fast;
        risen[s] = (float)(v0 * (slow - fast));
    }
}

static void find_intervals(const struct pattern *pattern, const struct tempotron *tempotron,
                           struct timeline *timeline)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    intervals_sort_by_time(pattern, timeline->order, timeline->buffer);
    intervals_find_decays(pattern, timeline->order, (double)tempotron->params.T, &constants,
                          timeline->decay_slow, timeline->decay_fast, timeline->turn);
}

void timeline_read(struct timeline *timeline, const struct tempotron *tempotron,
                   const struct pattern *pattern)
{
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        if (pattern->fractional)
            find_leads(pattern, &tempotron->psp, timeline);
        break;
    case CLOCK_CONTINUOUS:
        find_intervals(pattern, tempotron, timeline);
        break;
    }
}
