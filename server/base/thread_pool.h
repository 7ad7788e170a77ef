/* thread_pool.h - the compute pool: a few threads for work that would hold up an event loop.
 *
 * Jobs wait in a queue of bounded length. A job may share its work out among the threads that have
 * no job of their own, so that one request with many samples spreads over the cores, as many
 * requests do. */
#ifndef SERVER_BASE_THREAD_POOL_H
#define SERVER_BASE_THREAD_POOL_H

#include <stdbool.h>

#include "core/thread_team.h"

struct thread_pool;

/* Part of a caller's struct, which must not be moved until the job runs. */
struct thread_pool_job {
    void (*work)(struct thread_pool_job *job); /* may free the job */
    struct thread_pool_job *next;              /* the pool's */
};

/* NULL: no memory or no threads */
struct thread_pool *thread_pool_create(unsigned threads, unsigned queue_length);
/* Refuses further jobs, runs those that are queued, and ends the threads. Takes NULL. */
void thread_pool_close(struct thread_pool *pool);
/* Closes it, and frees it. Takes NULL. */
void thread_pool_destroy(struct thread_pool *pool);

/* Queues a job, from any thread. False: the queue is full, or the pool is closed. */
bool thread_pool_submit(struct thread_pool *pool, struct thread_pool_job *job);

/* The team that a job of the pool shares its work out to; borrowed. */
const struct thread_team *thread_pool_team(const struct thread_pool *pool);

#endif
