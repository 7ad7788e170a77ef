/* pool.h - the compute pool: a few threads for what would hold up an event loop.
 *
 * Jobs wait in a queue of bounded length. A job may share its work out: threads without a job of
 * their own then lend it a hand, so that many samples of one request spread over the cores, and
 * many requests do too. */
#ifndef SERVER_POOL_H
#define SERVER_POOL_H

#include <stdbool.h>

#include "crew.h"

struct pool;

/* Part of what is to be done, and not to be moved until it runs. */
struct pool_job {
    void (*run)(struct pool_job *job); /* may free the job */
    struct pool_job *next;             /* the pool's */
};

/* NULL: no memory or no threads */
struct pool *pool_create(unsigned threads, unsigned queue_length);
/* Runs what is queued, and stops: further jobs are refused. Takes NULL. */
void pool_close(struct pool *pool);
/* Closes it, and frees it. Takes NULL. */
void pool_destroy(struct pool *pool);

/* Queues a job; false: as many wait as may, or the pool is closed. From any thread. */
bool pool_submit(struct pool *pool, struct pool_job *job);

/* Hands for a job of the pool to share its work out to; borrowed. */
const struct crew *pool_crew(const struct pool *pool);

#endif
