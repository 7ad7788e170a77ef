#include "core/background.h"

#include <stdlib.h>
#include <string.h>

#include "core/simd.h"

/* The spikes of a feature that is 0. */
static const struct byte_code *background_code(const struct byte_table *table, size_t feature)
{
    return &table->codes[table->range[feature]][0];
}

/* The row of a block for a step; if there is none, the end of the block's rows. */
static uint32_t find_row(const struct background *background, uint32_t begin, uint32_t end,
                         uint32_t step)
{
    while (begin < end && background->step[begin] != step)
        begin++;
    return begin;
}

/* Notes the steps of a block's rows, after those of the block before it. */
static void note_steps(struct background *background, const struct byte_table *table, size_t block)
{
    const uint32_t begin = background->first[block];
    uint32_t end = begin;
    for (size_t i = block * BACKGROUND_BLOCK; i < (block + 1) * BACKGROUND_BLOCK; i++) {
        const struct byte_code *code = background_code(table, i);
        background->fires[block] |= code->fired;
        for (uint32_t s = 0; s < code->count; s++) {
            const uint32_t step = (uint32_t)code->time[s];
            if (find_row(background, begin, end, step) == end)
                background->step[end++] = step;
        }
    }
    background->first[block + 1] = end;
}

static bool allocate_rows(struct background *background, const struct layer *layer)
{
    const size_t rows = background->first[background->blocks];
    background->rows = calloc(layer->block_count, sizeof *background->rows);
    if (background->rows == NULL)
        return false;
    for (; background->neuron_blocks < layer->block_count; background->neuron_blocks++) {
        const size_t bytes =
            rows * layer->blocks[background->neuron_blocks]->stride * sizeof(float);
        float *of_block = aligned_alloc(SIMD_ALIGNMENT, simd_round_up(bytes + 1));
        if (of_block == NULL)
            return false;
        background->rows[background->neuron_blocks] = of_block;
    }
    return true;
}

enum core_status background_create(const struct layer *layer, const struct byte_table *table,
                                   struct background **ret_background)
{
    struct background *background = calloc(1, sizeof *background);
    bool made = false;
    if (background == NULL)
        return CORE_NO_MEMORY;
    background->blocks = table->n / BACKGROUND_BLOCK;
    background->first = calloc(background->blocks + 1, sizeof *background->first);
    background->fires = calloc(background->blocks + 1, sizeof *background->fires);
    background->step = malloc((background->blocks * BACKGROUND_BLOCK * PATTERN_SLACK + 1) *
                              sizeof *background->step);
    if (background->first != NULL && background->fires != NULL && background->step != NULL) {
        for (size_t block = 0; block < background->blocks; block++)
            note_steps(background, table, block);
        made = allocate_rows(background, layer);
    }
    if (!made) {
        background_destroy(background);
        return CORE_NO_MEMORY;
    }
    background_update(background, layer, table);
    *ret_background = background;
    return CORE_OK;
}

void background_destroy(struct background *background)
{
    if (background == NULL)
        return;
    for (size_t b = 0; b < background->neuron_blocks; b++)
        free(background->rows[b]);
    free(background->rows);
    free(background->first);
    free(background->step);
    free(background->fires);
    free(background);
}

/* Adds the weights of a feature's spikes to the rows of its block. */
static void add_feature(struct background *background, size_t neurons,
                        const struct tempotron *tempotron, const struct byte_table *table,
                        size_t feature)
{
    const size_t block = feature / BACKGROUND_BLOCK, stride = tempotron->stride;
    const struct byte_code *code = background_code(table, feature);
    for (uint32_t s = 0; s < code->count; s++) {
        const size_t afferent = feature * table->m + code->first + s;
        float *row = background->rows[neurons] +
                     stride * find_row(background, background->first[block],
                                       background->first[block + 1], (uint32_t)code->time[s]);
        for (size_t j = 0; j < stride; j++)
            row[j] += tempotron->weight[afferent * stride + j];
    }
}

void background_update(struct background *background, const struct layer *layer,
                       const struct byte_table *table)
{
    const size_t rows = background->first[background->blocks];
    for (size_t b = 0; b < layer->block_count; b++) {
        memset(background->rows[b], 0, rows * layer->blocks[b]->stride * sizeof **background->rows);
        for (size_t i = 0; i < background->blocks * BACKGROUND_BLOCK; i++)
            add_feature(background, b, layer->blocks[b], table, i);
    }
}

size_t background_bytes(const struct background *background, const struct layer *layer)
{
    return background->first[background->blocks] * layer->width * sizeof **background->rows +
           background->blocks * BACKGROUND_BLOCK * PATTERN_SLACK * sizeof *background->step;
}
