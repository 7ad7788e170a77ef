/* layer.h - a layer of tempotrons as blocks of neurons.
 *
 * The weights and membranes of one block stay in the processor's nearer caches while a batch of
 * samples passes through it. Only the last block may be smaller than the others, so neuron j of a
 * layer is neuron j % BLOCK_NEURONS of block j / BLOCK_NEURONS. */
#ifndef CORE_LAYER_H
#define CORE_LAYER_H

#include <stddef.h>

#include "core/arena.h"
#include "core/tempotron.h"

enum { BLOCK_NEURONS = 32 };

struct layer {
    size_t width; /* neurons, with the padding of the last block */
    size_t block_count;
    struct tempotron **blocks; /* [block_count] */
};

/* params->out_features are the layer's neurons; weight[out_features][in_features], NULL: all 0. */
void layer_init(struct layer *layer, const struct tempotron_params *params, const float *weight,
                struct arena *arena);

size_t layer_neurons(const struct layer *layer);
size_t layer_afferents(const struct layer *layer);
size_t layer_bytes(const struct layer *layer); /* of weights in memory */

/* Writes the weights as [out_features][in_features]. */
void layer_weight(const struct layer *layer, float *ret_weight);

/* The weights of a neuron: that of afferent i is layer_neuron(...)[i * stride]. */
const float *layer_neuron(const struct layer *layer, size_t neuron, size_t *ret_stride);

#endif
