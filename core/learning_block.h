/* learning_block.h - one block of neurons as it learns: its gradient, and the step that follows. */
#ifndef CORE_LEARNING_BLOCK_H
#define CORE_LEARNING_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/layer_gradient.h"
#include "core/optimizer.h"
#include "core/tempotron.h"
#include "core/training.h"

struct learning_block {
    size_t layer;
    size_t number;              /* in the layer */
    struct tempotron tempotron; /* the network's own weights; the kernel is scaled for dropout */
    struct optimizer optimizer;
    float *gradient; /* [in_features][stride]; 0 between batches */
    float *frozen;   /* [stride] not 0 for outputs that make no error in a batch */
    double *squares; /* of pieces of the gradient; see learning_block_fill_squares() */
};

void learning_block_init(struct learning_block *block, const struct tempotron *tempotron,
                         size_t layer, size_t number, const struct training_params *params,
                         struct arena *arena);

/* Freezes all outputs; thaws those that have a part in a sample's loss. */
void learning_block_freeze(struct learning_block *block);
void learning_block_thaw(struct learning_block *block, const struct layer_gradient *gradient);
bool learning_block_is_frozen(const struct learning_block *block);

/* Steps the weights of afferents first .. end - 1 by their gradient, which is 0 after that. With
 * `freezes`, those of frozen outputs stay. */
void learning_block_step(struct learning_block *block, size_t first, size_t end, bool freezes);

/* The gradient's sum of squares in two steps: threads fill the pieces of blocks, then one thread
 * adds the pieces in their order to the sum. */
void learning_block_fill_squares(struct learning_block *block);
void learning_block_add_squares(const struct learning_block *block, double *sum);

#endif
