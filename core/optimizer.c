#include "optimizer.h"

#include <math.h>
#include <stdlib.h>

enum core_status optimizer_init(struct optimizer *optimizer, enum optimizer_type type,
                                double momentum, size_t count)
{
    float *block = calloc(count, 2 * sizeof *block);
    if (block == NULL)
        return CORE_NO_MEMORY;
    *optimizer = (struct optimizer){
        .type = type,
        .momentum = (float)momentum,
        .count = count,
        .first = block,
        .second = block + count,
    };
    return CORE_OK;
}

void optimizer_finish(struct optimizer *optimizer)
{
    free(optimizer->first);
    *optimizer = (struct optimizer){0};
}

static void step_sgd(struct optimizer *optimizer, const float *restrict gradient, float rate,
                     float *restrict weight)
{
    float *restrict velocity = optimizer->first;
    for (size_t i = 0; i < optimizer->count; i++) {
        velocity[i] = optimizer->momentum * velocity[i] + gradient[i];
        weight[i] -= rate * velocity[i];
    }
}

static void step_adam(struct optimizer *optimizer, const float *restrict gradient, double rate,
                      float *restrict weight)
{
    static const double beta1 = 0.9, beta2 = 0.999;
    static const float eps = 1e-8f;
    const double steps = (double)optimizer->steps;
    const float size = (float)(rate / (1 - pow(beta1, steps)));
    const float correction = (float)sqrt(1 - pow(beta2, steps));
    const float keep1 = (float)beta1, add1 = (float)(1 - beta1);
    const float keep2 = (float)beta2, add2 = (float)(1 - beta2);
    float *restrict mean = optimizer->first;
    float *restrict square = optimizer->second;
    for (size_t i = 0; i < optimizer->count; i++) {
        mean[i] = keep1 * mean[i] + add1 * gradient[i];
        square[i] = keep2 * square[i] + add2 * gradient[i] * gradient[i];
        weight[i] -= size * mean[i] / (sqrtf(square[i]) / correction + eps);
    }
}

void optimizer_step(struct optimizer *optimizer, const float *gradient, double learning_rate,
                    float *weight)
{
    optimizer->steps++;
    switch (optimizer->type) {
    case OPTIMIZER_SGD:
        step_sgd(optimizer, gradient, (float)learning_rate, weight);
        break;
    case OPTIMIZER_ADAM:
        step_adam(optimizer, gradient, learning_rate, weight);
        break;
    }
}
