#include "timeline.h"

#include <math.h>
#include <stdlib.h>

#include "exponential.h"
#include "gaps.h"
#include "layout.h"
#include "simd.h"

static void lay_out(struct timeline *timeline, enum tempotron_clock clock, size_t capacity,
                    struct layout *layout)
{
    switch (clock) {
    case CLOCK_GRID:
        timeline->decayed = layout_place(layout, capacity, sizeof *timeline->decayed);
        timeline->decayed_s = layout_place(layout, capacity, sizeof *timeline->decayed_s);
        timeline->risen = layout_place(layout, capacity, sizeof *timeline->risen);
        break;
    case CLOCK_CONTINUOUS:
        timeline->order = layout_place(layout, capacity, sizeof *timeline->order);
        timeline->buffer = layout_place(layout, capacity, sizeof *timeline->buffer);
        timeline->decay_slow = layout_place(layout, capacity + 1, sizeof *timeline->decay_slow);
        timeline->decay_fast = layout_place(layout, capacity + 1, sizeof *timeline->decay_fast);
        timeline->turn = layout_place(layout, capacity + 1, sizeof *timeline->turn);
        break;
    }
}

enum core_status timeline_init(struct timeline *timeline, enum tempotron_clock clock,
                               size_t capacity)
{
    struct layout layout = {0};
    *timeline = (struct timeline){0};
    lay_out(timeline, clock, capacity, &layout);
    if (!layout_allocate(&layout))
        return CORE_NO_MEMORY;
    lay_out(timeline, clock, capacity, &layout);
    timeline->memory = layout.memory;
    return CORE_OK;
}

void timeline_finish(struct timeline *timeline)
{
    free(timeline->memory);
    *timeline = (struct timeline){0};
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

void timeline_read(struct timeline *timeline, const struct tempotron *tempotron,
                   const struct pattern *pattern)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        if (pattern->fractional)
            find_leads(pattern, &tempotron->psp, timeline);
        break;
    case CLOCK_CONTINUOUS:
        gaps_sort_by_time(pattern, timeline->order, timeline->buffer);
        gaps_find_decays(pattern, timeline->order, (double)tempotron->params.T, &constants,
                         timeline->decay_slow, timeline->decay_fast, timeline->turn);
        break;
    }
}
