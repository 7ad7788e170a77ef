/* trainer.h - the workers that train queued runs in the background, at low priority.
 *
 * The store's runs table is the queue. A worker claims the oldest run, trains a private copy of its
 * base version outside of any transaction, writes progress a few times a second, and publishes the
 * weights with the run's success in one transaction. A run that the process's end interrupts stays
 * "running" in the store, and is trained from its beginning after the next start. */
#ifndef SERVER_TRAINER_H
#define SERVER_TRAINER_H

#include <stdbool.h>
#include <stdint.h>

struct service;
struct trainer;

/* Room for workers, none of which runs yet, each of which shares a run out to so many hands; NULL:
 * no memory. The service's stores and registry are set. */
struct trainer *trainer_create(struct service *service, unsigned workers, unsigned hands);

/* Starts the workers; the service's http is set. False: the threads can't be had. */
bool trainer_start(struct trainer *trainer);

/* A run was queued. */
void trainer_wake(struct trainer *trainer);

/* A run's cancellation is in the store: stops it where it is being trained; wakes those who wait
 * for one that had not begun (`ended`). */
void trainer_cancel(struct trainer *trainer, int64_t run, bool ended);

/* Interrupts what is being trained, without waiting for it. */
void trainer_interrupt(struct trainer *trainer);

/* Interrupts, and joins the workers. Takes NULL. */
void trainer_stop(struct trainer *trainer);

/* Stops, and frees. Takes NULL. */
void trainer_destroy(struct trainer *trainer);

#endif
