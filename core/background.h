/* background.h - what the background of an image adds to the membranes.
 *
 * Most features of an image are 0, and features that are 0 fire the same spikes in every image. A
 * block of features that are all 0 therefore adds a few rows of weights, which are summed
 * beforehand, instead of a row for each of its spikes. The sums are rounded in another order than
 * that of single spikes: results have the same bits only if all of them use the background, or none
 * does. */
#ifndef CORE_BACKGROUND_H
#define CORE_BACKGROUND_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/arena.h"
#include "core/byte_table.h"
#include "core/layer.h"

enum { BACKGROUND_BLOCK = 8 }; /* features */

struct background {
    size_t blocks;   /* whole blocks; the features after them are encoded each time */
    uint32_t *first; /* [blocks + 1] the first row of each block */
    uint32_t *step;  /* [first[blocks]] the step of the clock at which a row is added */
    float **rows;    /* [neuron_blocks] for each block of the layer's neurons
                        [first[blocks]][stride] */
    bool *fires;     /* [blocks] some neuron fires, even if too late */
};

/* For the layer that reads the table's spikes, on the grid. NULL: no memory. */
struct background *background_create(const struct layer *layer, const struct byte_table *table,
                                     struct arena *arena);

/* Sums the rows again after the weights have changed. */
void background_update(struct background *background, const struct layer *layer,
                       const struct byte_table *table);

size_t background_bytes(const struct background *background,
                        const struct layer *layer); /* of memory */

/* Whether all features of the block that begins at x are 0. */
static inline bool background_holds(const uint8_t *x)
{
    uint64_t block;
    static_assert((int)BACKGROUND_BLOCK == (int)sizeof block, "a block is looked at as one word");
    memcpy(&block, x, sizeof block);
    return block == 0;
}

#endif
