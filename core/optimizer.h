/* optimizer.h - turns gradients into steps of the weights, with torch's semantics. */
#ifndef CORE_OPTIMIZER_H
#define CORE_OPTIMIZER_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"

enum optimizer_type {
    OPTIMIZER_SGD, /* velocity <- momentum velocity + g;  w <- w - lr velocity */
    OPTIMIZER_ADAM /* betas 0.9 and 0.999, eps 1e-8 (Kingma & Ba 2015) */
};

/* Once in so many steps, moments that are too small for a normal float become 0: seldom enough to
 * cost next to nothing. Without a gradient they would stay so small for ever, since 0.9 times a few
 * units of the smallest float are rounded to as many, and the processor takes longer for such
 * numbers. They are far below what can change a weight. NaN stays NaN. */
enum { OPTIMIZER_SETTLES = 64 };

struct optimizer {
    enum optimizer_type type;
    float momentum; /* of SGD */
    size_t stride;  /* of a row of weights */
    float *first;   /* [rows][stride] SGD's velocity, Adam's first moment */
    float *second;  /* [rows][stride] Adam's second moment */

    size_t steps;
    double power1; /* 0.9^steps */
    double power2; /* 0.999^steps */

    /* These are of the current step. */
    float rate;       /* the learning rate; Adam's is divided by 1 - 0.9^steps */
    float correction; /* sqrt(1 - 0.999^steps) */
    float keep;       /* 1 - lr weight_decay */
    float scale;      /* of the gradient */
    bool settles;     /* see OPTIMIZER_SETTLES */
};

void optimizer_init(struct optimizer *optimizer, enum optimizer_type type, double momentum,
                    size_t rows, size_t stride, struct arena *arena);

/* Begins a step. The weight decay is decoupled from the gradient, w <- (1 - lr weight_decay) w
 * (AdamW: Loshchilov & Hutter 2019). */
void optimizer_begin(struct optimizer *optimizer, double learning_rate, double weight_decay);

/* Multiplies the gradients of the current step by `scale`, which is 1 otherwise. */
void optimizer_scale(struct optimizer *optimizer, double scale);

/* Steps the weights of rows from .. to - 1 against their gradient, and sets that to 0. Threads may
 * do so for separate rows. Outputs whose frozen[stride] is not 0 keep their weights and moments;
 * NULL: no output is frozen. Adam's bias correction counts all steps, also those of other outputs.
 */
void optimizer_step(const struct optimizer *optimizer, size_t from, size_t to, const float *frozen,
                    float *gradient, float *weight);

#endif
