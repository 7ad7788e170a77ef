/* layer_gradient.h - how the loss of one sample depends on a layer: on each neuron's voltage at one
 * time (see struct voltage_gradient), or on its weights, if the read-out has found that itself. */
#ifndef CORE_LAYER_GRADIENT_H
#define CORE_LAYER_GRADIENT_H

#include "core/credit.h"
#include "core/layer.h"
#include "core/membranes.h"

struct layer_gradient {
    double *at;            /* [width] */
    float *amount;         /* [width] 0: the neuron has no part in the loss */
    struct credit *credit; /* [blocks] the weights' credit; NULL: it follows from the voltages */
};

/* That of one block of the layer. */
static inline struct voltage_gradient layer_gradient_block(const struct layer_gradient *gradient,
                                                           size_t block)
{
    const size_t first = block * BLOCK_NEURONS;
    return (struct voltage_gradient){.at = gradient->at + first,
                                     .amount = gradient->amount + first};
}

#endif
