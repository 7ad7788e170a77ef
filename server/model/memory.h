/* memory.h - the memory of runs, of requests that name datasets, and of models beside the cache:
 * --memory.
 *
 * Each takes what it was estimated to need before it begins, and gives it back at its end. Runs
 * have three quarters of it, and one that does not fit now waits. The others have a quarter, and
 * are refused then: a run may last for hours, and models have to be loaded meanwhile. */
#ifndef SERVER_MODEL_MEMORY_H
#define SERVER_MODEL_MEMORY_H

#include <pthread.h>
#include <stdbool.h>

#include "server/base/budget.h"
#include "server/base/problem.h"

struct memory {
    struct budget runs;
    struct budget requests;
    pthread_mutex_t models; /* what each of them has taken */
};

/* Shares out the bytes. */
void memory_init(struct memory *memory, size_t bytes);
void memory_finish(struct memory *memory);

/* Whether there can ever be room for a run. False with the problem set: too_large. */
bool memory_fits_run(const struct memory *memory, size_t bytes, struct problem *problem);

/* For a request. False with the problem, at `pointer`, set: overloaded, or too_large if it is more
 * than requests have. 0 is always there. */
bool memory_take(struct memory *memory, size_t bytes, const char *pointer, struct problem *problem);
void memory_give(struct memory *memory, size_t bytes);

/* For a model. Returns what was taken; 0: there is no room now. What is more than all counts as
 * all, so that the model can be used. */
size_t memory_take_for_model(struct memory *memory, size_t bytes);

#endif
