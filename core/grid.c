/* grid.c - the spikes are not sorted: each adds its row of weights to its step's row of the drive,
 * which stays in the processor's nearest cache. Two drives take turns, so that a spike need not
 * wait for the one before it where both fall on the same step. */
#include "grid.h"

#include <math.h>
#include <string.h>

#include "exponential.h"
#include "rest.h"
#include "simd.h"

/* --- forward: the spikes --- */

/* `vectors` is a constant where the function is inlined for few outputs. */
INLINED void add_rows(const struct tempotron *tempotron, const struct pattern *pattern,
                      lanes *restrict even, lanes *restrict odd, size_t vectors)
{
    const lanes *restrict weight = (const lanes *)tempotron->weight;
    const uint32_t *afferent = pattern->afferent;
    const float *time = pattern->time;
    size_t s = 0;
    for (; s + 1 < pattern->count; s += 2) {
        const lanes *row = weight + afferent[s] * vectors;
        const lanes *next_row = weight + afferent[s + 1] * vectors;
        lanes *to = even + (uint32_t)time[s] * vectors;
        lanes *next_to = odd + (uint32_t)time[s + 1] * vectors;
        for (size_t l = 0; l < vectors; l++)
            to[l] += row[l];
        for (size_t l = 0; l < vectors; l++)
            next_to[l] += next_row[l];
    }
    if (s < pattern->count)
        for (size_t l = 0; l < vectors; l++)
            even[(uint32_t)time[s] * vectors + l] += weight[afferent[s] * vectors + l];
}

/* What blocks of features at rest add together; see rest.h. */
INLINED void add_rest(const struct pattern *pattern, lanes *restrict drive, size_t vectors)
{
    const struct rest *rest = pattern->rest;
    for (size_t b = 0; b < pattern->resting_count; b++) {
        const uint32_t block = pattern->resting[b];
        for (uint32_t r = rest->first[block]; r < rest->first[block + 1]; r++)
            for (size_t l = 0; l < vectors; l++)
                drive[rest->step[r] * vectors + l] += ((const lanes *)rest->rows)[r * vectors + l];
    }
}

VECTORIZED static void add_spikes(const struct tempotron *tempotron, const struct pattern *pattern,
                                  struct membranes *membranes)
{
    const size_t vectors = tempotron->stride / LANES;
    lanes *even = (lanes *)membranes->drive;
    lanes *odd = even + tempotron->params.T * vectors;
    switch (vectors) {
    case 1:
        add_rest(pattern, even, 1);
        add_rows(tempotron, pattern, even, odd, 1);
        break;
    case 2:
        add_rest(pattern, even, 2);
        add_rows(tempotron, pattern, even, odd, 2);
        break;
    default:
        add_rest(pattern, even, vectors);
        add_rows(tempotron, pattern, even, odd, vectors);
        break;
    }
}

/* A spike `lead` before its step has decayed, and its potential has risen, for that long. */
VECTORIZED static void add_fractional_spikes(const struct tempotron *tempotron,
                                             const struct pattern *pattern,
                                             struct membranes *membranes)
{
    const size_t stride = tempotron->stride;
    const struct psp *psp = &tempotron->psp;
    for (size_t s = 0; s < pattern->count; s++) {
        const float step = ceilf(pattern->time[s]);
        const double lead = (double)step - (double)pattern->time[s];
        const float decayed = (float)exp_nonpositive(-lead / psp->tau);
        const float risen = (float)psp_value(psp, lead);
        const float *row = tempotron->weight + pattern->afferent[s] * stride;
        float *drive = membranes->drive + (size_t)step * stride;
        float *jump = membranes->jump + (size_t)step * stride;
        for (size_t j = 0; j < stride; j++) {
            drive[j] += decayed * row[j];
            jump[j] += risen * row[j];
        }
    }
}

/* --- forward: the steps --- */

/* Where `mask` is set a, else b. */
INLINED void choose(const int_lanes *mask, const lanes *a, const lanes *b, lanes *out)
{
    *out = (lanes)((*mask & (int_lanes)*a) | (~*mask & (int_lanes)*b));
}

/* One vector of outputs through all steps; clears the drive behind it. */
VECTORIZED static void run_steps(const struct tempotron *tempotron, const struct pattern *pattern,
                                 size_t vector, struct membranes *membranes, float *v_out)
{
    const size_t T = tempotron->params.T, vectors = tempotron->stride / LANES;
    const double decay = tempotron->psp.decay, decay_s = tempotron->psp.decay_s;
    const double gain = tempotron->psp.gain;
    lanes *even = (lanes *)membranes->drive + vector;
    lanes *odd = even + T * vectors;
    lanes *jump = (lanes *)membranes->jump + vector;
    const lanes none = {0};
    double_lanes v = {0}, m = {0};
    lanes v_max = none;
    int_lanes t_max = {0};
    for (size_t t = 0; t < T; t++) {
        const size_t at = t * vectors;
        v = decay_s * v + gain * m;
        m = decay * m + __builtin_convertvector(even[at] + odd[at], double_lanes);
        even[at] = odd[at] = none;
        if (pattern->fractional) {
            v += __builtin_convertvector(jump[at], double_lanes);
            jump[at] = none;
        }
        const lanes voltage = __builtin_convertvector(v, lanes);
        const int_lanes is_higher = voltage > v_max;
        t_max = (is_higher & (int32_t)t) | (~is_higher & t_max);
        choose(&is_higher, &voltage, &v_max, &v_max);
        for (size_t l = 0; v_out != NULL && l < LANES; l++)
            if (vector * LANES + l < tempotron->params.out_features)
                v_out[(vector * LANES + l) * T + t] = voltage[l];
    }
    ((lanes *)membranes->v_max)[vector] = v_max;
    for (size_t l = 0; l < LANES; l++)
        membranes->t_max[vector * LANES + l] = t_max[l];
}

void grid_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                  struct membranes *membranes, float *v)
{
    if (pattern->fractional)
        add_fractional_spikes(tempotron, pattern, membranes);
    else
        add_spikes(tempotron, pattern, membranes);
    for (size_t vector = 0; vector < tempotron->stride / LANES; vector++)
        run_steps(tempotron, pattern, vector, membranes, v);
}

/* --- backward --- */

/* One vector of outputs. With c added at its maximum, fall(t) = fall(t + 1) decay + c and
 * rise(t) = rise(t + 1) decay_s + gain fall(t + 1). Later rows are 0. */
VECTORIZED static void trace_back(const struct tempotron *tempotron, const struct pattern *pattern,
                                  size_t vector, const struct membranes *membranes, const float *dv,
                                  struct credit *credit)
{
    const size_t T = tempotron->params.T, vectors = tempotron->stride / LANES;
    const double decay = tempotron->psp.decay, decay_s = tempotron->psp.decay_s;
    const double gain = tempotron->psp.gain;
    const lanes c = ((const lanes *)dv)[vector];
    lanes *rises = (lanes *)credit->rise + vector, *falls = (lanes *)credit->fall + vector;
    double_lanes rise = {0}, fall = {0};
    int_lanes t_max;
    for (size_t l = 0; l < LANES; l++)
        t_max[l] = (int32_t)membranes->t_max[vector * LANES + l];
    for (size_t t = T; t-- > 0;) {
        rise = decay_s * rise + gain * fall;
        const int_lanes is_here = t_max == (int32_t)t;
        const lanes begins = (lanes)(is_here & (int_lanes)c);
        fall = decay * fall + __builtin_convertvector(begins, double_lanes);
        rises[t * vectors] = __builtin_convertvector(rise, lanes);
        if (pattern->fractional)
            falls[t * vectors] = __builtin_convertvector(fall, lanes);
    }
}

void grid_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                   struct membranes *membranes, const float *dv, struct credit *credit)
{
    for (size_t vector = 0; vector < tempotron->stride / LANES; vector++)
        trace_back(tempotron, pattern, vector, membranes, dv, credit);
}
