/* optimizer.h - turns gradients into steps of the weights, with torch's semantics. */
#ifndef CORE_OPTIMIZER_H
#define CORE_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum optimizer_type {
    OPTIMIZER_SGD, /* velocity <- momentum velocity + g;  w <- w - lr velocity */
    OPTIMIZER_ADAM /* betas 0.9 and 0.999, eps 1e-8 (Kingma & Ba 2015) */
};

struct optimizer {
    enum optimizer_type type;
    float momentum; /* of SGD */
    size_t count;   /* weights */
    uint64_t steps; /* taken */
    float *first;   /* [count] SGD's velocity, Adam's first moment; owned, one block with */
    float *second;  /* [count] Adam's second moment */
};

enum core_status optimizer_init(struct optimizer *optimizer, enum optimizer_type type,
                                double momentum, size_t count);
void optimizer_finish(struct optimizer *optimizer); /* does nothing on a zeroed one */

/* One step of weight[count] against gradient[count]. */
void optimizer_step(struct optimizer *optimizer, const float *gradient, double learning_rate,
                    float *weight);

#endif
