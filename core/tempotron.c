#include "core/tempotron.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/simd.h"

static size_t round_up(size_t size, size_t multiple)
{
    return (size + multiple - 1) / multiple * multiple;
}

static enum core_status allocate(const struct tempotron_params *params,
                                 struct tempotron **ret_tempotron)
{
    const size_t stride = round_up(params->out_features, LANES);
    const size_t head = simd_round_up(sizeof(struct tempotron));
    const size_t weights = params->in_features * stride * sizeof(float);
    struct tempotron *tempotron = aligned_alloc(SIMD_ALIGNMENT, head + simd_round_up(weights));
    if (tempotron == NULL)
        return CORE_NO_MEMORY;
    tempotron->params = *params;
    psp_init(&tempotron->psp, params->tau, params->tau_s, params->v_threshold);
    tempotron->stride = stride;
    tempotron->weight = (float *)(void *)((char *)tempotron + head);
    *ret_tempotron = tempotron;
    return CORE_OK;
}

enum core_status tempotron_create(const struct tempotron_params *params, const float *weight,
                                  struct tempotron **ret_tempotron)
{
    struct tempotron *tempotron;
    const enum core_status status = allocate(params, &tempotron);
    if (status != CORE_OK)
        return status;
    const size_t in = params->in_features;
    memset(tempotron->weight, 0, in * tempotron->stride * sizeof *tempotron->weight);
    for (size_t j = 0; weight != NULL && j < params->out_features; j++)
        for (size_t i = 0; i < in; i++)
            tempotron->weight[i * tempotron->stride + j] = weight[j * in + i];
    *ret_tempotron = tempotron;
    return CORE_OK;
}

enum core_status tempotron_copy(const struct tempotron *tempotron, struct tempotron **ret_tempotron)
{
    const enum core_status status = allocate(&tempotron->params, ret_tempotron);
    if (status == CORE_OK)
        memcpy((*ret_tempotron)->weight, tempotron->weight,
               tempotron->params.in_features * tempotron->stride * sizeof(float));
    return status;
}

void tempotron_destroy(struct tempotron *tempotron)
{
    free(tempotron);
}

float tempotron_last(const struct tempotron_params *params)
{
    switch (params->clock) {
    case CLOCK_GRID:
        return (float)(params->T - 1);
    case CLOCK_CONTINUOUS:
        return (float)params->T;
    }
    return 0;
}

uint64_t tempotron_work(const struct tempotron_params *params, size_t spikes)
{
    enum { EXACT_MAXIMUM = 14 }; /* of one interval, in continuous time */
    const uint64_t spike = params->clock == CLOCK_CONTINUOUS ? EXACT_MAXIMUM : 1;
    return (params->T + spike * spikes) * params->out_features;
}

void tempotron_weight(const struct tempotron *tempotron, float *ret_weight)
{
    const size_t in = tempotron->params.in_features;
    for (size_t j = 0; j < tempotron->params.out_features; j++)
        for (size_t i = 0; i < in; i++)
            ret_weight[j * in + i] = tempotron->weight[i * tempotron->stride + j];
}

void tempotron_draw_weight(uint32_t seed, size_t in_features, size_t out_features,
                           float *ret_weight)
{
    struct random random;
    random_init(&random, seed);
    /* torch's steps: kaiming_uniform_ with a = sqrt(5), whose bound is 1/sqrt(in) except for
     * rounding
     */
    const double gain = sqrt(2.0 / (1 + sqrt(5.0) * sqrt(5.0)));
    const double bound = sqrt(3.0) * (gain / sqrt((double)in_features));
    const float low = (float)-bound, range = (float)bound - low;
    for (size_t i = 0; i < in_features * out_features; i++)
        ret_weight[i] = (float)((double)random_uniform(&random) * (double)range + (double)low);
}
