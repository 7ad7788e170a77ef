#include "core/layer.h"

#include <stdlib.h>
#include <string.h>

/* The shape of a block. */
static struct tempotron_params block_params(const struct tempotron_params *params, size_t block)
{
    struct tempotron_params of_block = *params;
    const size_t left = params->out_features - block * BLOCK_NEURONS;
    of_block.out_features = left < BLOCK_NEURONS ? left : BLOCK_NEURONS;
    return of_block;
}

static enum core_status allocate(struct layer *layer, size_t neurons)
{
    *layer = (struct layer){.block_count = (neurons - 1) / BLOCK_NEURONS + 1};
    layer->blocks = calloc(layer->block_count, sizeof(struct tempotron *));
    return layer->blocks != NULL ? CORE_OK : CORE_NO_MEMORY;
}

enum core_status layer_init(struct layer *layer, const struct tempotron_params *params,
                            const float *weight)
{
    const size_t block_weights = BLOCK_NEURONS * params->in_features;
    enum core_status status = allocate(layer, params->out_features);
    for (size_t b = 0; status == CORE_OK && b < layer->block_count; b++) {
        const struct tempotron_params of_block = block_params(params, b);
        status = tempotron_create(&of_block, weight == NULL ? NULL : weight + b * block_weights,
                                  &layer->blocks[b]);
        if (status == CORE_OK)
            layer->width += layer->blocks[b]->stride;
    }
    if (status != CORE_OK)
        layer_finish(layer);
    return status;
}

enum core_status layer_copy(const struct layer *layer, struct layer *ret_layer)
{
    struct layer copy;
    enum core_status status = allocate(&copy, layer_neurons(layer));
    for (size_t b = 0; status == CORE_OK && b < copy.block_count; b++)
        status = tempotron_copy(layer->blocks[b], &copy.blocks[b]);
    copy.width = layer->width;
    if (status == CORE_OK)
        *ret_layer = copy;
    else
        layer_finish(&copy);
    return status;
}

void layer_finish(struct layer *layer)
{
    for (size_t b = 0; layer->blocks != NULL && b < layer->block_count; b++)
        tempotron_destroy(layer->blocks[b]);
    free(layer->blocks);
    *layer = (struct layer){0};
}

size_t layer_neurons(const struct layer *layer)
{
    const size_t last = layer->block_count - 1;
    return last * BLOCK_NEURONS + layer->blocks[last]->params.out_features;
}

size_t layer_afferents(const struct layer *layer)
{
    return layer->blocks[0]->params.in_features;
}

size_t layer_bytes(const struct layer *layer)
{
    return layer_afferents(layer) * layer->width * sizeof(float);
}

void layer_weight(const struct layer *layer, float *ret_weight)
{
    for (size_t b = 0; b < layer->block_count; b++)
        tempotron_weight(layer->blocks[b], ret_weight + b * BLOCK_NEURONS * layer_afferents(layer));
}

const float *layer_neuron(const struct layer *layer, size_t neuron, size_t *ret_stride)
{
    const struct tempotron *block = layer->blocks[neuron / BLOCK_NEURONS];
    *ret_stride = block->stride;
    return block->weight + neuron % BLOCK_NEURONS;
}
