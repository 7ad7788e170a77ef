#include "server/base/thread_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "server/base/limits.h"

enum { SHORT_IN_A_ROW = 8 };

/* A job's work whose parts other threads may take; on the stack of a thread of that job. */
struct share {
    thread_team_task *task;
    void *work;
    bool is_long; /* the job */
    bool has_long_parts;
    size_t parts;
    size_t taken;
    size_t done;
    struct share *next;
};

/* Jobs in the order of their turns: the cost of what is served before them, as if all clients that
 * wait were served at the same speed (start-time fair queueing). */
struct queue {
    struct thread_pool_job *first;
    uint64_t turn; /* of the job that was taken last */
};

struct thread_pool {
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;  /* a job, a share, room for long work, or the end */
    pthread_cond_t ended; /* some part of a share */
    bool closed;
    unsigned waiting; /* jobs in both queues */
    unsigned queue_length;
    uint64_t waiting_cost;
    struct queue short_jobs, long_jobs;
    struct share *shares; /* with parts that no thread has taken */
    unsigned in_a_row;    /* short jobs, since long work was looked for first */
    unsigned on_long;     /* threads with a long job, or a long part of one */
    unsigned size;
    unsigned thread_count;
    pthread_t threads[];
};

static _Thread_local bool is_on_long; /* this thread is counted in on_long */

static bool is_long(uint64_t cost)
{
    return cost > LIMIT_LONG_WORK;
}

/* Returns what it was. */
static bool set_on_long(struct thread_pool *pool, bool now)
{
    const bool before = is_on_long;
    pool->on_long += (unsigned)now - (unsigned)before;
    is_on_long = now;
    if (before && !now)
        pthread_cond_signal(&pool->work);
    return before;
}

static bool has_room_for_long(const struct thread_pool *pool)
{
    return pool->on_long < (pool->size > 1 ? pool->size - 1 : 1);
}

/* --- queues --- */

static unsigned queue_count(const struct queue *queue, uint64_t client)
{
    unsigned count = 0;
    for (const struct thread_pool_job *at = queue->first; at != NULL; at = at->next)
        count += at->client == client;
    return count;
}

static void queue_add(struct queue *queue, struct thread_pool_job *job)
{
    struct thread_pool_job **link = &queue->first;
    job->turn = queue->turn;
    for (const struct thread_pool_job *at = queue->first; at != NULL; at = at->next)
        if (at->client == job->client)
            job->turn = at->turn + at->cost;
    while (*link != NULL && (*link)->turn <= job->turn)
        link = &(*link)->next;
    job->next = *link;
    *link = job;
}

static struct thread_pool_job *queue_take(struct queue *queue)
{
    struct thread_pool_job *job = queue->first;
    queue->first = job->next;
    queue->turn = job->turn;
    return job;
}

/* --- what a thread runs; the lock is held, and released meanwhile --- */

/* Runs the next part of a share; with its last part it leaves the list. */
static void run_part(struct thread_pool *pool, struct share *share)
{
    const size_t part = share->taken++;
    if (share->taken == share->parts) {
        struct share **link = &pool->shares;
        while (*link != share)
            link = &(*link)->next;
        *link = share->next;
    }
    const bool before = set_on_long(pool, share->has_long_parts);
    pthread_mutex_unlock(&pool->lock);
    share->task(share->work, part);
    pthread_mutex_lock(&pool->lock);
    set_on_long(pool, before);
    if (++share->done == share->parts)
        pthread_cond_broadcast(&pool->ended);
}

static void run_first_job(struct thread_pool *pool, struct queue *queue)
{
    struct thread_pool_job *job = queue_take(queue);
    pool->waiting--;
    pool->waiting_cost -= job->cost;
    const bool before = set_on_long(pool, is_long(job->cost));
    pthread_mutex_unlock(&pool->lock);
    job->work(job);
    pthread_mutex_lock(&pool->lock);
    set_on_long(pool, before);
}

/* Parts of work that has begun go before jobs that have not. False: there is nothing to run. */
static bool run_any(struct thread_pool *pool, struct queue *queue, bool long_work)
{
    const bool has_room = !long_work || has_room_for_long(pool);
    struct share *share = pool->shares;
    while (share != NULL && (share->is_long != long_work || (share->has_long_parts && !has_room)))
        share = share->next;
    if (share != NULL)
        run_part(pool, share);
    else if (queue->first != NULL && has_room)
        run_first_job(pool, queue);
    else
        return false;
    return true;
}

static bool run_short(struct thread_pool *pool)
{
    pool->in_a_row++;
    return run_any(pool, &pool->short_jobs, false);
}

static bool run_long(struct thread_pool *pool)
{
    pool->in_a_row = 0;
    if (pool->short_jobs.first != NULL) /* for which this thread may have been woken */
        pthread_cond_signal(&pool->work);
    return run_any(pool, &pool->long_jobs, true);
}

static bool run_next(struct thread_pool *pool)
{
    if (pool->in_a_row >= SHORT_IN_A_ROW && run_long(pool))
        return true;
    return run_short(pool) || run_long(pool);
}

static void *work(void *argument)
{
    struct thread_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        if (run_next(pool))
            continue;
        if (pool->closed && pool->waiting == 0)
            break;
        pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_cond_broadcast(&pool->work); /* others may have waited for room for long work */
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void give_way(struct thread_pool *pool)
{
    while (pool->in_a_row < SHORT_IN_A_ROW && run_short(pool))
        ;
    pool->in_a_row = 0;
}

static void share_out(void *context, thread_team_task *task, void *shared, size_t parts)
{
    const struct thread_pool_job *job = context;
    struct thread_pool *pool = job->pool;
    struct share share = {.task = task,
                          .work = shared,
                          .is_long = is_long(job->cost),
                          .has_long_parts = is_long(job->cost / parts),
                          .parts = parts};
    pthread_mutex_lock(&pool->lock);
    const bool before = set_on_long(pool, share.has_long_parts);
    share.next = pool->shares;
    pool->shares = &share;
    pthread_cond_broadcast(&pool->work);
    while (share.taken < parts) {
        run_part(pool, &share);
        if (share.is_long)
            give_way(pool);
    }
    while (share.done < parts)
        pthread_cond_wait(&pool->ended, &pool->lock);
    set_on_long(pool, before);
    pthread_mutex_unlock(&pool->lock);
}

/* --- the pool --- */

struct thread_pool *thread_pool_create(unsigned threads, unsigned queue_length)
{
    struct thread_pool *pool = calloc(1, sizeof *pool + threads * sizeof *pool->threads);
    if (pool == NULL)
        return NULL;
    pool->size = threads;
    pool->queue_length = queue_length;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->ended, NULL);
    for (; pool->thread_count < threads; pool->thread_count++) {
        if (pthread_create(&pool->threads[pool->thread_count], NULL, work, pool) != 0) {
            thread_pool_destroy(pool);
            return NULL;
        }
    }
    return pool;
}

void thread_pool_close(struct thread_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closed = true;
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    while (pool->thread_count > 0)
        pthread_join(pool->threads[--pool->thread_count], NULL);
}

void thread_pool_destroy(struct thread_pool *pool)
{
    if (pool == NULL)
        return;
    thread_pool_close(pool);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* A client that has filled its places leaves as many to others. */
static bool has_room(const struct thread_pool *pool, const struct thread_pool_job *job)
{
    const unsigned of_client =
        queue_count(&pool->short_jobs, job->client) + queue_count(&pool->long_jobs, job->client);
    return !pool->closed && of_client < pool->queue_length &&
           pool->waiting < 2 * pool->queue_length &&
           pool->waiting_cost + job->cost <= LIMIT_WAITING_WORK;
}

bool thread_pool_submit(struct thread_pool *pool, struct thread_pool_job *job)
{
    pthread_mutex_lock(&pool->lock);
    const bool is_accepted = has_room(pool, job);
    if (is_accepted) {
        job->pool = pool;
        job->team =
            (struct thread_team){.size = pool->size, .context = job, .run_parts = share_out};
        queue_add(is_long(job->cost) ? &pool->long_jobs : &pool->short_jobs, job);
        pool->waiting++;
        pool->waiting_cost += job->cost;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return is_accepted;
}

const struct thread_team *thread_pool_team(const struct thread_pool_job *job)
{
    return &job->team;
}
