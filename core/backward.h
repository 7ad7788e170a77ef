/* backward.h - the way back through a network: from where a sample's loss depends on one layer's
 * voltages to where it depends on those of the layer below, and to the weights' credit. */
#ifndef CORE_BACKWARD_H
#define CORE_BACKWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/network.h"
#include "core/slot.h"
#include "core/thread_scratch.h"
#include "core/training.h"

/* The credit of one block of a layer whose gradient the slot has: the slot's own if the read-out
 * has found it, else the scratch's, until the next call. */
const struct credit *backward_find_credit(const struct network *network, size_t layer, size_t block,
                                          struct slot *slot, struct thread_scratch *scratch);

/* Whether that reads the block's weights, which may then not step while others still ask for it. */
bool backward_reads_weights(const struct network *network);

/* Fills the gradient of a hidden layer from that of the layer above; `batch` is the number of
 * samples that the loss is a mean of. */
void backward_trace(const struct network *network, const struct training_params *params,
                    size_t batch, size_t layer, struct slot *slot, struct thread_scratch *scratch);

#endif
