#include "core/learning_block.h"

enum { NORM_ROWS = 64 }; /* of weights whose squares are summed in one piece */

/* By how much more the spikes that come into a layer count, since some are left out. */
static double layer_scale(const struct training_params *params, size_t layer)
{
    return 1 / (1 - (layer == 0 ? params->input_dropout : params->dropout));
}

void learning_block_init(struct learning_block *block, const struct tempotron *tempotron,
                         size_t layer, size_t number, const struct training_params *params,
                         struct arena *arena)
{
    const size_t rows = tempotron->params.in_features, stride = tempotron->stride;
    *block = (struct learning_block){
        .layer = layer,
        .number = number,
        .tempotron = *tempotron,
        .gradient = arena_place(arena, rows * stride, sizeof *block->gradient),
        .frozen = arena_place(arena, stride, sizeof *block->frozen),
        .squares = arena_place(arena, rows / NORM_ROWS + 1, sizeof *block->squares),
    };
    block->tempotron.psp.v0 *= layer_scale(params, layer);
    block->tempotron.psp.gain *= layer_scale(params, layer);
    optimizer_init(&block->optimizer, params->optimizer, params->momentum, rows, stride, arena);
}

/* --- frozen outputs --- */

void learning_block_freeze(struct learning_block *block)
{
    for (size_t j = 0; j < block->tempotron.stride; j++)
        block->frozen[j] = 1;
}

void learning_block_thaw(struct learning_block *block, const struct layer_gradient *gradient)
{
    const struct voltage_gradient of_block = layer_gradient_block(gradient, block->number);
    for (size_t j = 0; j < block->tempotron.params.out_features; j++)
        if (of_block.amount[j] != 0)
            block->frozen[j] = 0;
}

bool learning_block_is_frozen(const struct learning_block *block)
{
    for (size_t j = 0; j < block->tempotron.params.out_features; j++)
        if (block->frozen[j] == 0)
            return false;
    return true;
}

void learning_block_step(struct learning_block *block, size_t first, size_t end, bool freezes)
{
    optimizer_step(&block->optimizer, first, end, freezes ? block->frozen : NULL, block->gradient,
                   block->tempotron.weight);
}

/* --- the gradient's norm --- */

void learning_block_fill_squares(struct learning_block *block)
{
    const size_t count = block->tempotron.params.in_features * block->tempotron.stride;
    const size_t piece = NORM_ROWS * block->tempotron.stride;
    for (size_t p = 0; p * piece < count; p++) {
        const size_t end = (p + 1) * piece < count ? (p + 1) * piece : count;
        double sum = 0;
        for (size_t i = p * piece; i < end; i++)
            sum += (double)block->gradient[i] * (double)block->gradient[i];
        block->squares[p] = sum;
    }
}

void learning_block_add_squares(const struct learning_block *block, double *sum)
{
    for (size_t p = 0; p * NORM_ROWS < block->tempotron.params.in_features; p++)
        *sum += block->squares[p];
}
