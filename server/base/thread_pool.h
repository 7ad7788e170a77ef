/* thread_pool.h - the compute pool: a few threads for what would hold up an event loop.
 *
 * Jobs wait in a queue of bounded length. A job may share its work out: threads without a job of
 * their own then lend it a hand, so that many samples of one request spread over the cores, and
 * many requests do too. */
#ifndef SERVER_BASE_THREAD_POOL_H
#define SERVER_BASE_THREAD_POOL_H

#include <stdbool.h>

#include "core/thread_team.h"

struct thread_pool;

/* Part of what is to be done, and not to be moved until it runs. */
struct thread_pool_job {
    void (*run)(struct thread_pool_job *job); /* may free the job */
    struct thread_pool_job *next;             /* the pool's */
};

/* NULL: no memory or no threads */
struct thread_pool *thread_pool_create(unsigned threads, unsigned queue_length);
/* Runs what is queued, and stops: further jobs are refused. Takes NULL. */
void thread_pool_close(struct thread_pool *pool);
/* Closes it, and frees it. Takes NULL. */
void thread_pool_destroy(struct thread_pool *pool);

/* Queues a job; false: as many wait as may, or the pool is closed. From any thread. */
bool thread_pool_submit(struct thread_pool *pool, struct thread_pool_job *job);

/* Hands for a job of the pool to share its work out to; borrowed. */
const struct thread_team *thread_pool_team(const struct thread_pool *pool);

#endif
