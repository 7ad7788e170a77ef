/* slot.h - what comes of one sample of a batch, kept from its forward pass until the weights step.
 * A batch has one slot for each sample, and learner.c works through them. */
#ifndef CORE_SLOT_H
#define CORE_SLOT_H

#include <stddef.h>

#include "core/activity.h"
#include "core/dropout.h"
#include "core/layer_gradient.h"
#include "core/network.h"
#include "core/reading.h"

struct slot {
    struct activity activity;
    struct layer_gradient gradients[NETWORK_LAYERS];
    struct reading reading;
    struct dropout_stream stream;
};

/* For samples of up to `capacity` spikes. */
size_t slot_bytes(const struct network *network, size_t capacity); /* of memory */
void slot_init(struct slot *slot, const struct network *network, size_t capacity,
               struct arena *arena);

#endif
