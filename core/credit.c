#include "core/credit.h"

#include <math.h>

#include "core/simd.h"

static size_t row_count(const struct tempotron *tempotron, size_t capacity)
{
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        return tempotron->params.T;
    case CLOCK_CONTINUOUS:
        return capacity;
    }
    return 0;
}

void credit_init(struct credit *credit, const struct tempotron *tempotron, size_t capacity,
                 struct arena *arena)
{
    const size_t count = row_count(tempotron, capacity) * tempotron->stride;
    *credit = (struct credit){
        .stride = tempotron->stride,
        .clock = tempotron->params.clock,
        .rise = arena_reserve(arena, count, sizeof *credit->rise),
        .fall = arena_reserve(arena, count, sizeof *credit->fall),
    };
}

/* The first spike of an afferent not below the given one. */
static size_t find_spike(const struct pattern *pattern, size_t afferent)
{
    size_t low = 0, high = pattern->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (pattern->afferent[middle] < afferent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* If the function is inlined for few outputs, `vectors` is a constant. */
INLINED void add_step_rows(const struct credit *credit, const struct pattern *pattern, size_t from,
                           size_t to, lanes *restrict gradient, size_t vectors)
{
    const lanes *restrict rise = (const lanes *)credit->rise;
    for (size_t s = from; s < to; s++) {
        const lanes *row = rise + (uint32_t)pattern->time[s] * vectors;
        lanes *sum = gradient + pattern->afferent[s] * vectors;
        for (size_t l = 0; l < vectors; l++)
            sum[l] += row[l];
    }
}

VECTORIZED static void add_steps(const struct credit *credit, const struct pattern *pattern,
                                 size_t from, size_t to, float *gradient)
{
    const size_t vectors = credit->stride / LANES;
    switch (vectors) {
    case 1:
        add_step_rows(credit, pattern, from, to, (lanes *)gradient, 1);
        break;
    case 2:
        add_step_rows(credit, pattern, from, to, (lanes *)gradient, 2);
        break;
    case 4:
        add_step_rows(credit, pattern, from, to, (lanes *)gradient, 4);
        break;
    default:
        add_step_rows(credit, pattern, from, to, (lanes *)gradient, vectors);
        break;
    }
}

/* A spike that leads its step: K(s + lead) from the step's two rows. */
VECTORIZED static void add_fractional(const struct credit *credit, const struct pattern *pattern,
                                      const struct timeline *timeline, size_t from, size_t to,
                                      float *gradient)
{
    for (size_t s = from; s < to; s++) {
        const size_t step = (size_t)ceilf(pattern->time[s]);
        const float decayed_s = timeline->decayed_s[s], risen = timeline->risen[s];
        const float *restrict rise = credit->rise + step * credit->stride;
        const float *restrict fall = credit->fall + step * credit->stride;
        float *restrict sum = gradient + pattern->afferent[s] * credit->stride;
        for (size_t j = 0; j < credit->stride; j++)
            sum[j] += decayed_s * rise[j] + risen * fall[j];
    }
}

VECTORIZED static void add_spikes(const struct credit *credit, const struct pattern *pattern,
                                  size_t from, size_t to, float *gradient)
{
    for (size_t s = from; s < to; s++) {
        const float *restrict row = credit->rise + s * credit->stride;
        float *restrict sum = gradient + pattern->afferent[s] * credit->stride;
        for (size_t j = 0; j < credit->stride; j++)
            sum[j] += row[j];
    }
}

void credit_add(const struct credit *credit, const struct pattern *pattern,
                const struct timeline *timeline, size_t first, size_t end, float *gradient)
{
    if (credit->is_zero)
        return;
    const size_t from = find_spike(pattern, first), to = find_spike(pattern, end);
    switch (credit->clock) {
    case CLOCK_GRID:
        if (pattern->fractional)
            add_fractional(credit, pattern, timeline, from, to, gradient);
        else
            add_steps(credit, pattern, from, to, gradient);
        break;
    case CLOCK_CONTINUOUS:
        add_spikes(credit, pattern, from, to, gradient);
        break;
    }
}

/* --- the spikes' own times --- */

/* Where a spike's rows are, and what its lead makes of them. */
struct place {
    size_t row;
    float decayed, decayed_s, risen;
};

static struct place place_of(const struct credit *credit, const struct pattern *pattern,
                             const struct timeline *timeline, size_t s)
{
    if (credit->clock == CLOCK_CONTINUOUS)
        return (struct place){s, 1, 1, 0};
    if (!pattern->fractional)
        return (struct place){(size_t)pattern->time[s], 1, 1, 0};
    return (struct place){(size_t)ceilf(pattern->time[s]), timeline->decayed[s],
                          timeline->decayed_s[s], timeline->risen[s]};
}

/* K' = v0 (1/tau_s - 1/tau) exp(-t/tau) - K/tau_s, lane by lane, and the lanes in their order. */
VECTORIZED static float slope_sum(const struct credit *credit, const struct psp *psp,
                                  const struct place *place, const float *weight)
{
    const float of_fall = (float)(psp->v0 * (1 / psp->tau_s - 1 / psp->tau));
    const float of_rise = (float)(1 / psp->tau_s);
    const size_t vectors = credit->stride / LANES;
    const lanes *rise = (const lanes *)credit->rise + place->row * vectors;
    const lanes *fall = (const lanes *)credit->fall + place->row * vectors;
    const float by_fall = of_fall * place->decayed - of_rise * place->risen;
    const float by_rise = -of_rise * place->decayed_s;
    lanes sum = {0};
    for (size_t l = 0; l < vectors; l++)
        sum += ((const lanes *)weight)[l] * (by_fall * fall[l] + by_rise * rise[l]);
    float total = 0;
    for (size_t l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

void credit_add_times(const struct credit *credit, const struct tempotron *tempotron,
                      const struct pattern *pattern, const struct timeline *timeline,
                      float *time_gradient)
{
    if (credit->is_zero)
        return;
    for (size_t s = 0; s < pattern->count; s++) {
        const struct place place = place_of(credit, pattern, timeline, s);
        time_gradient[s] -= slope_sum(credit, &tempotron->psp, &place,
                                      tempotron->weight + pattern->afferent[s] * credit->stride);
    }
}
