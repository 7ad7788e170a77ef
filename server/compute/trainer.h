/* trainer.h - the workers that train queued runs in the background, at low priority.
 *
 * The store's runs table is the queue. A worker claims a run once there is memory for it, trains a
 * private copy of its base version outside of any transaction, writes progress a few times a second
 * and a checkpoint now and then, and publishes the weights with the run's success in one
 * transaction. A stop interrupts a run, which becomes queued again with a checkpoint of that
 * moment. If the process ends otherwise, the run stays "running" in the store. In both cases it
 * goes on after the next start, from its last checkpoint, and ends with the bits of a run that was
 * never interrupted. */
#ifndef SERVER_COMPUTE_TRAINER_H
#define SERVER_COMPUTE_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

struct memory;
struct model_cache;
struct store_pool;
struct trainer;

struct trainer_options {
    struct store_pool *stores;   /* borrowed */
    struct model_cache *cache;   /* borrowed */
    struct memory *memory;       /* that runs take from; borrowed */
    unsigned workers;            /* runs that train at the same time */
    unsigned threads;            /* that share the work of one run, if no other trains */
    unsigned checkpoint_seconds; /* of work between two checkpoints of a run */
    bool logs_all;               /* the end of every run, not only of those that failed */
    /* Called when a run has ended and its end is in the store, from any thread. */
    void (*on_end)(void *context, int64_t run);
    void *context;
};

/* Allocates the workers and starts none of them. NULL: no memory. */
struct trainer *trainer_create(const struct trainer_options *options);

/* Starts the workers. False: a thread could not be started. */
bool trainer_start(struct trainer *trainer);

/* A run was queued. */
void trainer_wake(struct trainer *trainer);

/* A run's cancellation is in the store: stops the run if it is being trained. If it had not begun
 * (`ended`), on_end is called. */
void trainer_cancel(struct trainer *trainer, int64_t run, bool ended);

/* Interrupts what is being trained, without waiting for it. */
void trainer_interrupt(struct trainer *trainer);

/* Interrupts, and joins the workers. Takes NULL. */
void trainer_stop(struct trainer *trainer);

/* Stops, and frees. Takes NULL. */
void trainer_destroy(struct trainer *trainer);

#endif
