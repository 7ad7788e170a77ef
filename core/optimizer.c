#include "core/optimizer.h"

#include <float.h>
#include <math.h>

#include "core/simd.h"

static const double beta1 = 0.9, beta2 = 0.999;

void optimizer_init(struct optimizer *optimizer, enum optimizer_type type, double momentum,
                    size_t rows, size_t stride, struct arena *arena)
{
    *optimizer = (struct optimizer){
        .type = type,
        .momentum = (float)momentum,
        .stride = stride,
        .first = arena_place(arena, rows * stride, sizeof *optimizer->first),
        .second = arena_place(arena, rows * stride, sizeof *optimizer->second),
        .power1 = 1,
        .power2 = 1,
    };
}

void optimizer_begin(struct optimizer *optimizer, double learning_rate, double weight_decay)
{
    optimizer->keep = (float)(1 - learning_rate * weight_decay);
    optimizer->scale = 1;
    optimizer->settles = ++optimizer->steps % OPTIMIZER_SETTLES == 0;
    switch (optimizer->type) {
    case OPTIMIZER_SGD:
        optimizer->rate = (float)learning_rate;
        break;
    case OPTIMIZER_ADAM:
        optimizer->power1 *= beta1;
        optimizer->power2 *= beta2;
        optimizer->rate = (float)(learning_rate / (1 - optimizer->power1));
        optimizer->correction = (float)sqrt(1 - optimizer->power2);
        break;
    }
}

void optimizer_scale(struct optimizer *optimizer, double scale)
{
    optimizer->scale = (float)scale;
}

VECTORIZED static void step_sgd(const struct optimizer *optimizer, size_t from, size_t to,
                                float *restrict gradient, float *restrict weight)
{
    const float momentum = optimizer->momentum, rate = optimizer->rate, keep = optimizer->keep;
    const float scale = optimizer->scale;
    float *restrict velocity = optimizer->first;
    for (size_t i = from; i < to; i++) {
        velocity[i] = momentum * velocity[i] + scale * gradient[i];
        weight[i] = keep * weight[i] - rate * velocity[i];
        gradient[i] = 0;
    }
}

VECTORIZED static void step_adam(const struct optimizer *optimizer, size_t from, size_t to,
                                 float *restrict gradient, float *restrict weight)
{
    static const float eps = 1e-8f;
    const float rate = optimizer->rate, correction = optimizer->correction, keep = optimizer->keep;
    const float keep1 = (float)beta1, add1 = (float)(1 - beta1);
    const float keep2 = (float)beta2, add2 = (float)(1 - beta2);
    const float scale = optimizer->scale;
    float *restrict mean = optimizer->first;
    float *restrict square = optimizer->second;
    for (size_t i = from; i < to; i++) {
        const float g = scale * gradient[i];
        mean[i] = keep1 * mean[i] + add1 * g;
        square[i] = keep2 * square[i] + add2 * g * g;
        weight[i] = keep * weight[i] - rate * mean[i] / (sqrtf(square[i]) / correction + eps);
        gradient[i] = 0;
    }
}

VECTORIZED static void settle(float *moment, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        moment[i] = ((moment[i] < FLT_MIN) & (moment[i] > -FLT_MIN)) ? 0 : moment[i];
}

static void step(const struct optimizer *optimizer, size_t from, size_t to, float *gradient,
                 float *weight)
{
    switch (optimizer->type) {
    case OPTIMIZER_SGD:
        step_sgd(optimizer, from, to, gradient, weight);
        break;
    case OPTIMIZER_ADAM:
        step_adam(optimizer, from, to, gradient, weight);
        if (optimizer->settles)
            settle(optimizer->second, from, to);
        break;
    }
    if (optimizer->settles)
        settle(optimizer->first, from, to);
}

void optimizer_step(const struct optimizer *optimizer, size_t from, size_t to, const float *frozen,
                    float *gradient, float *weight)
{
    const size_t stride = optimizer->stride;
    if (frozen == NULL) {
        step(optimizer, from * stride, to * stride, gradient, weight);
        return;
    }
    for (size_t row = from; row < to; row++)
        for (size_t j = 0; j < stride; j++)
            if (frozen[j] == 0)
                step(optimizer, row * stride + j, row * stride + j + 1, gradient, weight);
}
