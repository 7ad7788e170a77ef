#include "core/tempotron.h"

#include <math.h>

#include "core/random.h"
#include "core/simd.h"

struct tempotron *tempotron_create(const struct tempotron_params *params, const float *weight,
                                   struct arena *arena)
{
    const size_t in = params->in_features;
    const size_t stride = (params->out_features + LANES - 1) / LANES * LANES;
    struct tempotron *tempotron = arena_place(arena, 1, sizeof *tempotron);
    float *to = arena_place(arena, in * stride, sizeof *to);
    if (arena->failed)
        return NULL;
    *tempotron = (struct tempotron){.params = *params, .stride = stride, .weight = to};
    psp_init(&tempotron->psp, params->tau, params->tau_s, params->v_threshold);
    for (size_t j = 0; weight != NULL && j < params->out_features; j++)
        for (size_t i = 0; i < in; i++)
            to[i * stride + j] = weight[j * in + i];
    return tempotron;
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
    enum {
        EXACT_MAXIMUM = 14, /* of one interval, in continuous time */
        OF_A_SAMPLE = 64    /* whatever its size */
    };
    const uint64_t spike = params->clock == CLOCK_CONTINUOUS ? EXACT_MAXIMUM : 1;
    const uint64_t neurons = (params->out_features + LANES - 1) / LANES * LANES;
    return OF_A_SAMPLE + (params->T + spike * spikes) * neurons;
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
