/* run_memory.h - how much memory a run will take. */
#ifndef SERVER_COMPUTE_RUN_MEMORY_H
#define SERVER_COMPUTE_RUN_MEMORY_H

#include "server/compute/run_params.h"
#include "server/model/config.h"

/* One of the sets that a run is given. */
struct run_set {
    size_t count;    /* samples; 0: there is no such set */
    size_t bytes;    /* of memory, once it is loaded */
    size_t capacity; /* the most spikes of a sample */
};

/* The bytes of a run, from before it is loaded to after it is published: never much less than it
 * takes, and about twice as much at most. `threads` share its work. */
size_t run_memory(const struct model_config *config, const struct run_params *params,
                  const struct run_set *training, const struct run_set *validation,
                  unsigned threads);

#endif
