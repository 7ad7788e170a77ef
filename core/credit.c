#include "credit.h"

#include <math.h>
#include <stdlib.h>

#include "exponential.h"
#include "simd.h"

static size_t row_count(const struct tempotron *tempotron, size_t capacity)
{
    switch (tempotron->params.clock) {
    case CLOCK_GRID:
        return 2 * tempotron->params.T;
    case CLOCK_CONTINUOUS:
        return capacity;
    }
    return 0;
}

size_t credit_bytes(const struct tempotron *tempotron, size_t capacity)
{
    return (row_count(tempotron, capacity) + 1) * tempotron->stride * sizeof(float); /* never 0 */
}

enum core_status credit_init(struct credit *credit, const struct tempotron *tempotron,
                             size_t capacity)
{
    float *block = aligned_alloc(SIMD_ALIGNMENT, simd_round_up(credit_bytes(tempotron, capacity)));
    if (block == NULL)
        return CORE_NO_MEMORY;
    *credit = (struct credit){
        .stride = tempotron->stride,
        .clock = tempotron->params.clock,
        .rise = block,
    };
    if (credit->clock == CLOCK_GRID)
        credit->fall = block + tempotron->params.T * tempotron->stride;
    return CORE_OK;
}

void credit_finish(struct credit *credit)
{
    free(credit->rise);
    *credit = (struct credit){0};
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

/* `vectors` is a constant where the function is inlined for few outputs. */
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
    default:
        add_step_rows(credit, pattern, from, to, (lanes *)gradient, vectors);
        break;
    }
}

/* A spike `lead` before its step: K(s + lead) from the step's two rows. */
VECTORIZED static void add_fractional(const struct credit *credit, const struct psp *psp,
                                      const struct pattern *pattern, size_t from, size_t to,
                                      float *gradient)
{
    for (size_t s = from; s < to; s++) {
        const float step = ceilf(pattern->time[s]);
        const double lead = (double)step - (double)pattern->time[s];
        const float decayed_s = (float)exp_nonpositive(-lead / psp->tau_s);
        const float risen = (float)psp_value(psp, lead);
        const float *rise = credit->rise + (size_t)step * credit->stride;
        const float *fall = credit->fall + (size_t)step * credit->stride;
        float *sum = gradient + pattern->afferent[s] * credit->stride;
        for (size_t j = 0; j < credit->stride; j++)
            sum[j] += decayed_s * rise[j] + risen * fall[j];
    }
}

VECTORIZED static void add_spikes(const struct credit *credit, const struct pattern *pattern,
                                  size_t from, size_t to, float *gradient)
{
    for (size_t s = from; s < to; s++) {
        const float *row = credit->rise + s * credit->stride;
        float *sum = gradient + pattern->afferent[s] * credit->stride;
        for (size_t j = 0; j < credit->stride; j++)
            sum[j] += row[j];
    }
}

void credit_add(const struct credit *credit, const struct tempotron *tempotron,
                const struct pattern *pattern, size_t first, size_t end, float *gradient)
{
    if (credit->is_zero)
        return;
    const size_t from = find_spike(pattern, first), to = find_spike(pattern, end);
    switch (credit->clock) {
    case CLOCK_GRID:
        if (pattern->fractional)
            add_fractional(credit, &tempotron->psp, pattern, from, to, gradient);
        else
            add_steps(credit, pattern, from, to, gradient);
        break;
    case CLOCK_CONTINUOUS:
        add_spikes(credit, pattern, from, to, gradient);
        break;
    }
}
