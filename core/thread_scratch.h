/* thread_scratch.h - what one thread needs to learn from samples. */
#ifndef CORE_THREAD_SCRATCH_H
#define CORE_THREAD_SCRATCH_H

#include <stddef.h>

#include "core/credit.h"
#include "core/network.h"
#include "core/reading.h"

struct thread_scratch {
    struct reading_scratch reading;
    struct credit credit;
    float *time_gradient; /* [the widest hidden layer] the loss's derivative by spike times */
    float *v;             /* [BLOCK_NEURONS][T] of HIDDEN_PEAK: voltages, */
    float *amounts;       /* [T][BLOCK_NEURONS] and the loss's derivative by them */
    float *image;         /* [pixels] of an augmentation */
};

/* For samples of up to `capacity` spikes. */
void thread_scratch_init(struct thread_scratch *scratch, const struct network *network,
                         size_t capacity, size_t pixels, struct arena *arena);

#endif
