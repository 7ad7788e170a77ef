/* thread_pool.h - the compute pool: a few threads for work that would hold up an event loop.
 *
 * Jobs wait in a queue of bounded length. A job may share its work out among the threads that have
 * no job of their own, so that one request with many samples spreads over the cores, as many
 * requests do.
 *
 * A job whose cost is above LIMIT_LONG_WORK is long, and so is a part of its work that costs as
 * much. Short jobs go before long ones, and a thread with a long job runs short ones between its
 * parts. Long parts never take all threads, if there are two or more. After eight short jobs in a
 * row a thread looks for long work first, so that it goes on. The jobs that wait, of either length,
 * are taken by turns of their clients: a client's next job begins when the cost of those before it
 * has been served, and another client's only job need not wait for them. */
#ifndef SERVER_BASE_THREAD_POOL_H
#define SERVER_BASE_THREAD_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/thread_team.h"

struct thread_pool;

/* Part of a caller's struct, which must not be moved until the job runs. */
struct thread_pool_job {
    void (*work)(struct thread_pool_job *job); /* may free the job, or submit it again and return */
    uint64_t cost;                             /* in units of LIMIT_WORK, and at most as much */
    uint64_t client;                           /* a number that is the client's */
    /* what follows is the pool's */
    struct thread_pool *pool;
    struct thread_team team;
    uint64_t turn;
    struct thread_pool_job *next;
};

/* `queue_length` jobs of each client may wait. NULL: no memory or no threads */
struct thread_pool *thread_pool_create(unsigned threads, unsigned queue_length);
/* Refuses further jobs, runs those that are queued, and ends the threads. Takes NULL. */
void thread_pool_close(struct thread_pool *pool);
/* Closes it, and frees it. Takes NULL. */
void thread_pool_destroy(struct thread_pool *pool);

/* Queues a job, from any thread. False: so many of its client wait, or twice as many in all; the
 * work that waits would be more than LIMIT_WAITING_WORK; or the pool is closed. */
bool thread_pool_submit(struct thread_pool *pool, struct thread_pool_job *job);

/* The team that a job shares its work out to while it runs; borrowed. */
const struct thread_team *thread_pool_team(const struct thread_pool_job *job);

#endif
