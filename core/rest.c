#include "rest.h"

#include <stdlib.h>
#include <string.h>

#include "simd.h"

/* The spikes of a feature at rest. */
static const struct byte_code *code_at_rest(const struct byte_table *table, size_t feature)
{
    return &table->codes[table->range[feature]][0];
}

/* The row of a block for a step, or where its rows end. */
static uint32_t find_row(const struct rest *rest, uint32_t begin, uint32_t end, uint32_t step)
{
    while (begin < end && rest->step[begin] != step)
        begin++;
    return begin;
}

/* Notes the steps of a block's rows, behind those of the block before it. */
static void note_steps(struct rest *rest, const struct byte_table *table, size_t block)
{
    const uint32_t begin = rest->first[block];
    uint32_t end = begin;
    for (size_t i = block * REST_BLOCK; i < (block + 1) * REST_BLOCK; i++) {
        const struct byte_code *code = code_at_rest(table, i);
        rest->fires[block] |= code->fired;
        for (uint32_t s = 0; s < code->count; s++) {
            const uint32_t step = (uint32_t)code->time[s];
            if (find_row(rest, begin, end, step) == end)
                rest->step[end++] = step;
        }
    }
    rest->first[block + 1] = end;
}

static bool allocate_rows(struct rest *rest, const struct layer *layer)
{
    const size_t rows = rest->first[rest->blocks];
    rest->rows = calloc(layer->block_count, sizeof *rest->rows);
    if (rest->rows == NULL)
        return false;
    for (; rest->neuron_blocks < layer->block_count; rest->neuron_blocks++) {
        const size_t bytes = rows * layer->blocks[rest->neuron_blocks]->stride * sizeof(float);
        float *of_block = aligned_alloc(SIMD_ALIGNMENT, simd_round_up(bytes + 1));
        if (of_block == NULL)
            return false;
        rest->rows[rest->neuron_blocks] = of_block;
    }
    return true;
}

enum core_status rest_create(const struct layer *layer, const struct byte_table *table,
                             struct rest **ret_rest)
{
    struct rest *rest = calloc(1, sizeof *rest);
    bool made = false;
    if (rest == NULL)
        return CORE_NO_MEMORY;
    rest->blocks = table->n / REST_BLOCK;
    rest->first = calloc(rest->blocks + 1, sizeof *rest->first);
    rest->fires = calloc(rest->blocks + 1, sizeof *rest->fires);
    rest->step = malloc((rest->blocks * REST_BLOCK * PATTERN_SLACK + 1) * sizeof *rest->step);
    if (rest->first != NULL && rest->fires != NULL && rest->step != NULL) {
        for (size_t block = 0; block < rest->blocks; block++)
            note_steps(rest, table, block);
        made = allocate_rows(rest, layer);
    }
    if (!made) {
        rest_destroy(rest);
        return CORE_NO_MEMORY;
    }
    rest_update(rest, layer, table);
    *ret_rest = rest;
    return CORE_OK;
}

void rest_destroy(struct rest *rest)
{
    if (rest == NULL)
        return;
    for (size_t b = 0; b < rest->neuron_blocks; b++)
        free(rest->rows[b]);
    free(rest->rows);
    free(rest->first);
    free(rest->step);
    free(rest->fires);
    free(rest);
}

/* Adds the weights of a feature's spikes to the rows of its block. */
static void add_feature(struct rest *rest, size_t neurons, const struct tempotron *tempotron,
                        const struct byte_table *table, size_t feature)
{
    const size_t block = feature / REST_BLOCK, stride = tempotron->stride;
    const struct byte_code *code = code_at_rest(table, feature);
    for (uint32_t s = 0; s < code->count; s++) {
        const size_t afferent = feature * table->m + code->first + s;
        float *row = rest->rows[neurons] + stride * find_row(rest, rest->first[block],
                                                             rest->first[block + 1],
                                                             (uint32_t)code->time[s]);
        for (size_t j = 0; j < stride; j++)
            row[j] += tempotron->weight[afferent * stride + j];
    }
}

void rest_update(struct rest *rest, const struct layer *layer, const struct byte_table *table)
{
    const size_t rows = rest->first[rest->blocks];
    for (size_t b = 0; b < layer->block_count; b++) {
        memset(rest->rows[b], 0, rows * layer->blocks[b]->stride * sizeof **rest->rows);
        for (size_t i = 0; i < rest->blocks * REST_BLOCK; i++)
            add_feature(rest, b, layer->blocks[b], table, i);
    }
}

size_t rest_bytes(const struct rest *rest, const struct layer *layer)
{
    return rest->first[rest->blocks] * layer->lanes * sizeof **rest->rows +
           rest->blocks * REST_BLOCK * PATTERN_SLACK * sizeof *rest->step;
}
