/* trainer.h - the workers that train queued runs in the background, at low priority.
 *
 * The store's runs table is the queue. A worker claims a run once there is memory for it, and does
 * its job: see job.h. A stop interrupts a run, which becomes queued again. If the process ends
 * otherwise, the run stays "running" in the store. In both cases it goes on after the next start,
 * from its last checkpoint, and ends with the bits of a run that was never interrupted. */
#ifndef SERVER_COMPUTE_TRAINER_H
#define SERVER_COMPUTE_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/compute/job.h"

struct trainer;

struct trainer_options {
    struct job_options jobs;
    unsigned workers; /* runs that train at the same time */
    unsigned threads; /* that share the work of one run, if no other trains */
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
