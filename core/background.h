/* background.h - what the background of an image adds to the membranes.
 *
 * The features of an image are mostly 0, and those that are at rest fire the same spikes each time:
 * a block of features that are all at rest adds a few rows, summed beforehand, where its single
 * spikes would have added many. The sums are rounded otherwise than one spike after the other, so
 * that whoever wants the same bits has to use it wherever he evaluates. */
#ifndef CORE_BACKGROUND_H
#define CORE_BACKGROUND_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/byte_table.h"
#include "core/layer.h"
#include "core/status.h"

enum { BACKGROUND_BLOCK = 8 }; /* features */

struct background {
    size_t blocks;   /* whole ones; features behind them are encoded each time */
    uint32_t *first; /* [blocks + 1] where the rows of a block begin */
    uint32_t *step;  /* [first[blocks]] of the clock at which a row is added */
    float **rows;    /* of each block of the layer's neurons [first[blocks]][stride] */
    size_t neuron_blocks;
    bool *fires; /* [blocks] some neuron does, if only too late */
};

/* Of the layer that reads the table's spikes, on the grid. */
enum core_status background_create(const struct layer *layer, const struct byte_table *table,
                                   struct background **ret_background);
void background_destroy(struct background *background); /* takes NULL */

/* Sums the rows again, after the weights have changed. */
void background_update(struct background *background, const struct layer *layer,
                       const struct byte_table *table);

size_t background_bytes(const struct background *background,
                        const struct layer *layer); /* of memory */

/* Whether the block that begins at x is at rest. */
static inline bool background_holds(const uint8_t *x)
{
    uint64_t block;
    static_assert((int)BACKGROUND_BLOCK == (int)sizeof block, "a block is looked at as one word");
    memcpy(&block, x, sizeof block);
    return block == 0;
}

#endif
