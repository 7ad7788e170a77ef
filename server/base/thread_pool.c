#include "server/base/thread_pool.h"

#include <pthread.h>
#include <stdlib.h>

/* A job's work whose parts other threads may take; on the stack of the job's thread. */
struct share {
    thread_team_task *task;
    void *work;
    size_t parts;
    size_t taken;
    size_t done;
    struct share *next;
};

struct thread_pool {
    struct thread_team team;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t work;  /* a job, a share, or the end */
    pthread_cond_t ended; /* some part of a share */
    bool closed;
    unsigned waiting; /* jobs in the queue */
    unsigned queue_length;
    struct thread_pool_job *first, **last;
    struct share *shares; /* with parts that no thread has taken */
    unsigned thread_count;
    pthread_t threads[];
};

/* Runs the next part of a share; with its last part it leaves the list. The lock is held, and
 * released meanwhile. */
static void run_part(struct thread_pool *pool, struct share *share)
{
    const size_t part = share->taken++;
    if (share->taken == share->parts) {
        struct share **link = &pool->shares;
        while (*link != share)
            link = &(*link)->next;
        *link = share->next;
    }
    pthread_mutex_unlock(&pool->lock);
    share->task(share->work, part);
    pthread_mutex_lock(&pool->lock);
    if (++share->done == share->parts)
        pthread_cond_broadcast(&pool->ended);
}

static void run_first_job(struct thread_pool *pool)
{
    struct thread_pool_job *job = pool->first;
    pool->first = job->next;
    if (pool->first == NULL)
        pool->last = &pool->first;
    pool->waiting--;
    pthread_mutex_unlock(&pool->lock);
    job->work(job);
    pthread_mutex_lock(&pool->lock);
}

/* Parts of work that has begun go before jobs that have not. */
static void *work(void *argument)
{
    struct thread_pool *pool = argument;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        if (pool->shares != NULL)
            run_part(pool, pool->shares);
        else if (pool->first != NULL)
            run_first_job(pool);
        else if (pool->closed)
            break;
        else
            pthread_cond_wait(&pool->work, &pool->lock);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void share_out(void *context, thread_team_task *task, void *shared, size_t parts)
{
    struct thread_pool *pool = context;
    struct share share = {.task = task, .work = shared, .parts = parts};
    pthread_mutex_lock(&pool->lock);
    share.next = pool->shares;
    pool->shares = &share;
    pthread_cond_broadcast(&pool->work);
    while (share.taken < parts)
        run_part(pool, &share);
    while (share.done < parts)
        pthread_cond_wait(&pool->ended, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

struct thread_pool *thread_pool_create(unsigned threads, unsigned queue_length)
{
    struct thread_pool *pool = calloc(1, sizeof *pool + threads * sizeof *pool->threads);
    if (pool == NULL)
        return NULL;
    pool->team = (struct thread_team){.size = threads, .context = pool, .run_parts = share_out};
    pool->queue_length = queue_length;
    pool->last = &pool->first;
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

bool thread_pool_submit(struct thread_pool *pool, struct thread_pool_job *job)
{
    pthread_mutex_lock(&pool->lock);
    const bool has_room = !pool->closed && pool->waiting < pool->queue_length;
    if (has_room) {
        job->next = NULL;
        *pool->last = job;
        pool->last = &job->next;
        pool->waiting++;
        pthread_cond_signal(&pool->work);
    }
    pthread_mutex_unlock(&pool->lock);
    return has_room;
}

const struct thread_team *thread_pool_team(const struct thread_pool *pool)
{
    return &pool->team;
}
