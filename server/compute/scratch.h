/* scratch.h - the memory of a forward pass, which each thread keeps from one prediction to the
 * next: those of the same shape need no new one. */
#ifndef SERVER_COMPUTE_SCRATCH_H
#define SERVER_COMPUTE_SCRATCH_H

#include "core/activity.h"
#include "core/membranes.h"
#include "core/network.h"

struct scratch {
    struct activity activity;
    struct membranes membranes;
    struct network_params params; /* that it is made for */
    size_t capacity;
    size_t bytes;
};

/* This thread's scratch, for patterns of up to `capacity` spikes. NULL: no memory. It is this
 * caller's alone until it gives it back, on the same thread. */
struct scratch *scratch_borrow(const struct network *network, size_t capacity);
void scratch_return(struct scratch *scratch); /* takes NULL */

#endif
