/* scratch.h - the memory of a prediction, which each thread keeps from one to the next: predictions
 * of the same shape need no new memory. */
#ifndef SERVER_COMPUTE_SCRATCH_H
#define SERVER_COMPUTE_SCRATCH_H

#include "core/activity.h"
#include "core/network.h"
#include "core/reading.h"

/* All that its memory depends on. */
enum { SCRATCH_SIZES = 7 + HIDDEN_LAYERS };
struct scratch_shape {
    size_t sizes[SCRATCH_SIZES];
};

struct scratch {
    struct activity activity;
    struct reading_scratch reading;
    struct arena arena;
    struct scratch_shape shape; /* that it is made for */
    size_t bytes;               /* 0: it is empty */
};

/* This thread's scratch; see reading_scratch_init(). NULL: no memory. It is the caller's until the
 * caller gives it back, on the same thread. */
struct scratch *scratch_borrow(const struct network *network, size_t capacity, bool searches);
void scratch_return(struct scratch *scratch); /* takes NULL */

#endif
