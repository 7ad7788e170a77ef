/* training_memory.h - what a training takes of memory beside its samples, as known from the shapes
 * alone, before anything of it is there. */
#ifndef CORE_TRAINING_MEMORY_H
#define CORE_TRAINING_MEMORY_H

#include <stddef.h>

#include "core/network.h"

struct training_size {
    size_t capacity;   /* the most spikes of a sample */
    size_t samples;    /* to train on */
    size_t validation; /* 0: there are none */
    size_t batch_size;
    size_t pixels; /* of an image that is moved; 0: none is */
    size_t threads;
};

/* The bytes of network_train() with the network that it trains, and the copy that patience keeps:
 * never much less than it takes, and about twice as much at most. */
size_t training_memory(const struct network_params *params, const struct training_size *size);

/* The bytes of all weights of a network, as it holds them. */
size_t training_memory_of_weights(const struct network_params *params);

#endif
