#include "core/background.h"

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

struct background *background_create(const struct layer *layer, const struct byte_table *table,
                                     struct arena *arena)
{
    const size_t blocks = table->n / BACKGROUND_BLOCK;
    struct background *background = arena_place(arena, 1, sizeof *background);
    if (background == NULL)
        return NULL;
    *background = (struct background){
        .blocks = blocks,
        .first = arena_place(arena, blocks + 1, sizeof *background->first),
        .step =
            arena_place(arena, blocks * BACKGROUND_BLOCK * PATTERN_SLACK, sizeof *background->step),
        .rows = arena_place(arena, layer->block_count, sizeof *background->rows),
        .fires = arena_place(arena, blocks, sizeof *background->fires),
    };
    if (arena->failed)
        return NULL;
    for (size_t block = 0; block < blocks; block++)
        note_steps(background, table, block);
    for (size_t b = 0; b < layer->block_count; b++)
        background->rows[b] = arena_place(
            arena, background->first[blocks] * layer->blocks[b]->stride, sizeof **background->rows);
    if (arena->failed)
        return NULL;
    background_update(background, layer, table);
    return background;
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
