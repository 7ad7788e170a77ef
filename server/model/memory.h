/* memory.h - the memory that runs, requests that name datasets, and models beside the cache share:
 * --memory.
 *
 * Each takes what it was estimated to need before it begins, and gives it back at its end. A
 * request for which there is no room is refused; a run waits. Requests can't keep a run waiting for
 * ever: while one waits and no other trains, requests are refused. */
#ifndef SERVER_MODEL_MEMORY_H
#define SERVER_MODEL_MEMORY_H

#include <stdbool.h>

#include "server/base/budget.h"
#include "server/base/problem.h"

struct memory {
    struct budget budget;
    atomic_uint runs;               /* that have taken some */
    atomic_bool run_waits;          /* for some to be given back */
    void (*on_room)(void *context); /* called when a request gives some back while a run waits */
    void *context;
};

/* For a run. False: there is no room now, and it waits. What is more than all is never taken. */
bool memory_take_for_run(struct memory *memory, size_t bytes);
/* No run is left that could wait: the one that did was cancelled or deleted. */
void memory_no_run_waits(struct memory *memory);
void memory_give_of_run(struct memory *memory, size_t bytes);

/* For a request. False with the problem, at `pointer`, set: overloaded, or too_large if it is more
 * than all. 0 is always there. */
bool memory_take(struct memory *memory, size_t bytes, const char *pointer, struct problem *problem);
void memory_give(struct memory *memory, size_t bytes);

/* For a model. Returns what was taken; 0: there is no room now. What is more than all counts as
 * all, so that the model can be used. */
size_t memory_take_for_model(struct memory *memory, size_t bytes);

/* Whether there can ever be room. False with the problem, at `pointer`, set. */
bool memory_can_hold(const struct memory *memory, size_t bytes, const char *pointer,
                     struct problem *problem);

#endif
