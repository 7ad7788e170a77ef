#include "core/layer.h"

/* The shape of a block. */
static struct tempotron_params block_params(const struct tempotron_params *params, size_t block)
{
    struct tempotron_params of_block = *params;
    const size_t left = params->out_features - block * BLOCK_NEURONS;
    of_block.out_features = left < BLOCK_NEURONS ? left : BLOCK_NEURONS;
    return of_block;
}

void layer_init(struct layer *layer, const struct tempotron_params *params, const float *weight,
                struct arena *arena)
{
    const size_t count = (params->out_features - 1) / BLOCK_NEURONS + 1;
    const size_t block_weights = BLOCK_NEURONS * params->in_features;
    *layer = (struct layer){
        .block_count = count,
        .blocks = arena_place(arena, count, sizeof(struct tempotron *)),
    };
    for (size_t b = 0; !arena->failed && b < count; b++) {
        const struct tempotron_params of_block = block_params(params, b);
        layer->blocks[b] =
            tempotron_create(&of_block, weight == NULL ? NULL : weight + b * block_weights, arena);
        layer->width += layer->blocks[b] == NULL ? 0 : layer->blocks[b]->stride;
    }
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
