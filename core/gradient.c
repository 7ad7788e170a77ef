#include "gradient.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum core_status gradient_init(struct gradient *gradient, const struct tempotron *tempotron)
{
    const size_t stride = tempotron->stride;
    const size_t rows = tempotron->params.in_features + 2 * tempotron->params.T;
    float *block = aligned_alloc(64, (rows * stride * sizeof *block + 63) / 64 * 64);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *gradient = (struct gradient){
        .in_features = tempotron->params.in_features,
        .stride = stride,
        .weight = block,
        .rise = block + tempotron->params.in_features * stride,
        .fall = block + (tempotron->params.in_features + tempotron->params.T) * stride,
    };
    return CORE_OK;
}

void gradient_finish(struct gradient *gradient)
{
    free(gradient->weight);
    *gradient = (struct gradient){0};
}

void gradient_clear(struct gradient *gradient)
{
    memset(gradient->weight, 0, gradient->in_features * gradient->stride * sizeof(float));
}

/* The last step at which an output has its maximum and a derivative; -1: none has one. */
static int32_t last_peak(const float *dv, const int32_t *t_max, size_t stride)
{
    int32_t last = -1;
    for (size_t j = 0; j < stride; j++)
        if (dv[j] != 0 && t_max[j] > last)
            last = t_max[j];
    return last;
}

/* Fills the tables for steps 0 .. last. */
static void run_back(struct gradient *gradient, const struct psp *psp, const float *dv,
                     const int32_t *t_max, int32_t last)
{
    const size_t stride = gradient->stride;
    memset(gradient->rise + (size_t)last * stride, 0, stride * sizeof(float));
    memset(gradient->fall + (size_t)last * stride, 0, stride * sizeof(float));
    for (int32_t t = last; t >= 0; t--) {
        float *restrict rise = gradient->rise + (size_t)t * stride;
        float *restrict fall = gradient->fall + (size_t)t * stride;
        for (size_t j = 0; j < stride; j++)
            fall[j] += t_max[j] == t ? dv[j] : 0;
        if (t == 0)
            break;
        float *restrict earlier_rise = rise - stride;
        float *restrict earlier_fall = fall - stride;
        for (size_t j = 0; j < stride; j++) {
            earlier_rise[j] = psp->decay_s * rise[j] + psp->gain * fall[j];
            earlier_fall[j] = psp->decay * fall[j];
        }
    }
}

static void add_row(float *restrict weight, const float *restrict rise, size_t stride)
{
    for (size_t j = 0; j < stride; j++)
        weight[j] += rise[j];
}

/* A spike `lead` before the step: K(s + lead) from the step's two tables. */
static void add_row_early(float *restrict weight, const float *restrict rise,
                          const float *restrict fall, size_t stride, const struct psp *psp,
                          double lead)
{
    const float decayed_s = (float)exp(-lead / psp->tau_s);
    const float risen = (float)psp_value(psp, lead);
    for (size_t j = 0; j < stride; j++)
        weight[j] += decayed_s * rise[j] + risen * fall[j];
}

void gradient_add(struct gradient *gradient, const struct tempotron *tempotron,
                  const struct pattern *pattern, const float *dv, const int32_t *t_max)
{
    const size_t stride = gradient->stride;
    const int32_t last = last_peak(dv, t_max, stride);
    if (last < 0)
        return;
    run_back(gradient, &tempotron->psp, dv, t_max, last);
    for (size_t step = 0; step <= (size_t)last; step++) {
        const float *rise = gradient->rise + step * stride;
        const float *fall = gradient->fall + step * stride;
        for (uint32_t s = pattern->first[step]; s < pattern->first[step + 1]; s++) {
            float *weight = gradient->weight + pattern->afferent[s] * stride;
            if (pattern->lead[s] == 0)
                add_row(weight, rise, stride);
            else
                add_row_early(weight, rise, fall, stride, &tempotron->psp,
                              (double)pattern->lead[s]);
        }
    }
}
