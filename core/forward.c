#include "forward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum core_status membranes_init(struct membranes *membranes, const struct tempotron *tempotron)
{
    const size_t stride = tempotron->stride;
    float *block = aligned_alloc(64, (4 * stride * sizeof *block + 63) / 64 * 64);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *membranes = (struct membranes){
        .stride = stride,
        .v = block,
        .m = block + stride,
        .v_max = block + 2 * stride,
        .t_max = (int32_t *)(void *)(block + 3 * stride),
    };
    return CORE_OK;
}

void membranes_finish(struct membranes *membranes)
{
    free(membranes->v);
    *membranes = (struct membranes){0};
}

/* A spike on the grid. */
static void add_row(float *restrict m, const float *restrict row, size_t stride)
{
    for (size_t j = 0; j < stride; j++)
        m[j] += row[j];
}

/* A spike `lead` before the step: it has decayed, and its potential has risen, for that long. */
static void add_row_early(struct membranes *membranes, const float *row, const struct psp *psp,
                          double lead)
{
    const float decayed = (float)exp(-lead / psp->tau);
    const float risen = (float)psp_value(psp, lead);
    for (size_t j = 0; j < membranes->stride; j++) {
        membranes->m[j] += decayed * row[j];
        membranes->v[j] += risen * row[j];
    }
}

static void add_spikes(const struct tempotron *tempotron, const struct pattern *pattern,
                       size_t step, struct membranes *membranes)
{
    for (uint32_t s = pattern->first[step]; s < pattern->first[step + 1]; s++) {
        const float *row = tempotron->weight + pattern->afferent[s] * tempotron->stride;
        if (pattern->lead[s] == 0)
            add_row(membranes->m, row, tempotron->stride);
        else
            add_row_early(membranes, row, &tempotron->psp, (double)pattern->lead[s]);
    }
}

static void decay(struct membranes *membranes, const struct psp *psp)
{
    float *restrict v = membranes->v;
    float *restrict m = membranes->m;
    for (size_t j = 0; j < membranes->stride; j++) {
        v[j] = psp->decay_s * v[j] + psp->gain * m[j];
        m[j] = psp->decay * m[j];
    }
}

static void keep_maxima(struct membranes *membranes, size_t step)
{
    const float *restrict v = membranes->v;
    float *restrict v_max = membranes->v_max;
    int32_t *restrict t_max = membranes->t_max;
    for (size_t j = 0; j < membranes->stride; j++) {
        t_max[j] = v[j] > v_max[j] ? (int32_t)step : t_max[j];
        v_max[j] = v[j] > v_max[j] ? v[j] : v_max[j];
    }
}

void forward(const struct tempotron *tempotron, const struct pattern *pattern,
             struct membranes *membranes, float *v)
{
    const size_t T = tempotron->params.T;
    memset(membranes->v, 0, membranes->stride * sizeof(float));
    memset(membranes->m, 0, membranes->stride * sizeof(float));
    for (size_t step = 0; step < T; step++) {
        if (step > 0)
            decay(membranes, &tempotron->psp);
        add_spikes(tempotron, pattern, step, membranes);
        if (step == 0) { /* V(0) is the first maximum */
            memcpy(membranes->v_max, membranes->v, membranes->stride * sizeof(float));
            memset(membranes->t_max, 0, membranes->stride * sizeof(int32_t));
        } else {
            keep_maxima(membranes, step);
        }
        for (size_t j = 0; v != NULL && j < tempotron->params.out_features; j++)
            v[j * T + step] = membranes->v[j];
    }
}

size_t forward_decide(const float *v_max, size_t out_features)
{
    size_t best = 0;
    for (size_t j = 1; j < out_features; j++)
        if (v_max[j] > v_max[best])
            best = j;
    return best;
}
