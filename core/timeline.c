#include "core/timeline.h"

#include <math.h>
#include <string.h>

#include "core/exponential.h"
#include "core/simd.h"

struct time_constants time_constants(const struct psp *psp)
{
    if (psp->tau > psp->tau_s)
        return (struct time_constants){.slow = psp->tau, .fast = psp->tau_s, .v0 = psp->v0};
    return (struct time_constants){.slow = psp->tau_s, .fast = psp->tau, .v0 = -psp->v0};
}

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

/* --- on the grid --- */

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

/* --- in continuous time --- */

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* Times that are not negative are in the order of their bits as integers. */
static uint32_t digit_of(float time, unsigned shift)
{
    uint32_t bits;
    memcpy(&bits, &time, sizeof bits);
    return (bits >> shift) % DIGITS;
}

/* One pass of a radix sort. */
static void sort_by_digit(const struct pattern *pattern, const uint32_t *from, uint32_t *to,
                          unsigned shift)
{
    uint32_t first[DIGITS + 1] = {0};
    for (size_t i = 0; i < pattern->count; i++)
        first[digit_of(pattern->time[from[i]], shift) + 1]++;
    for (size_t digit = 0; digit < DIGITS; digit++)
        first[digit + 1] += first[digit];
    for (size_t i = 0; i < pattern->count; i++)
        to[first[digit_of(pattern->time[from[i]], shift)]++] = from[i];
}

/* Equal times stay in the order of their afferents. */
static void sort_by_time(const struct pattern *pattern, struct timeline *timeline)
{
    uint32_t *order = timeline->order, *buffer = timeline->buffer;
    for (size_t i = 0; i < pattern->count; i++)
        buffer[i] = (uint32_t)i;
    sort_by_digit(pattern, buffer, order, 0);
    sort_by_digit(pattern, order, buffer, DIGIT_BITS);
    sort_by_digit(pattern, buffer, order, 2 * DIGIT_BITS);
}

VECTORIZED static void find_decays(const struct pattern *pattern, const struct tempotron *tempotron,
                                   struct timeline *timeline)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    const double slow = constants.slow, fast = constants.fast, T = (double)tempotron->params.T;
    double *restrict decay_slow = timeline->decay_slow, *restrict decay_fast = timeline->decay_fast;
    double *restrict turn = timeline->turn;
    double now = 0;
    for (size_t e = 0; e <= pattern->count; e++) {
        const double next = e < pattern->count ? (double)pattern->time[timeline->order[e]] : T;
        turn[e] = now - next;
        now = next;
    }
    for (size_t e = 0; e <= pattern->count; e++) {
        const double length = turn[e];
        decay_slow[e] = exp_nonpositive(length / slow);
        decay_fast[e] = exp_nonpositive(length / fast);
        turn[e] = exp_nonpositive(length * (1 / fast - 1 / slow));
    }
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
        sort_by_time(pattern, timeline);
        find_decays(pattern, tempotron, timeline);
        break;
    }
}
