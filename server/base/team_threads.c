/* Tasks follow each other within microseconds, and to wake a sleeping thread takes far
 * longer: a thread that waits looks again and again for a while before it sleeps. */
#include "server/base/team_threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/base/timestamp.h"

enum { AWAKE_NANOSECONDS = 100000, LOOKS_A_TIME = 64 };

/* Threads that sleep until the same thing is so. */
struct sleepers {
    pthread_cond_t wake;
    size_t count;
};

struct threads {
    struct thread_team team; /* its context is the struct threads */
    thread_team_task *task;
    void *work;
    size_t parts;
    atomic_size_t next;    /* part to take */
    atomic_uint tasks;     /* so far */
    atomic_size_t working; /* threads that are not done with the task */
    atomic_bool ended;

    pthread_mutex_t lock;    /* of those that sleep */
    struct sleepers helpers; /* until a task begins */
    struct sleepers caller;  /* until it is done */

    size_t thread_count;
    pthread_t ids[];
};

static void take_parts(struct threads *threads)
{
    size_t part;
    while ((part = atomic_fetch_add(&threads->next, 1)) < threads->parts)
        threads->task(threads->work, part);
}

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static bool has_begun(struct threads *threads, unsigned seen)
{
    return atomic_load(&threads->tasks) != seen || atomic_load(&threads->ended);
}

static bool is_done(struct threads *threads, unsigned seen)
{
    (void)seen;
    return atomic_load(&threads->working) == 0;
}

/* Waits, awake, until it is so. False: it is not so yet. */
static bool look_for(struct threads *threads, bool (*is_so)(struct threads *, unsigned),
                     unsigned seen)
{
    const int64_t end = timestamp_monotonic_ns() + AWAKE_NANOSECONDS;
    do {
        for (int look = 0; look < LOOKS_A_TIME; look++) {
            if (is_so(threads, seen))
                return true;
            pause_briefly();
        }
        sched_yield(); /* to a thread that has work, if there are more threads than cores */
    } while (timestamp_monotonic_ns() < end);
    return false;
}

static void await(struct threads *threads, struct sleepers *sleepers,
                  bool (*is_so)(struct threads *, unsigned), unsigned seen)
{
    if (look_for(threads, is_so, seen))
        return;
    pthread_mutex_lock(&threads->lock);
    sleepers->count++;
    while (!is_so(threads, seen))
        pthread_cond_wait(&sleepers->wake, &threads->lock);
    sleepers->count--;
    pthread_mutex_unlock(&threads->lock);
}

static void wake(struct threads *threads, struct sleepers *sleepers)
{
    pthread_mutex_lock(&threads->lock);
    if (sleepers->count > 0)
        pthread_cond_broadcast(&sleepers->wake);
    pthread_mutex_unlock(&threads->lock);
}

static void *help(void *argument)
{
    struct threads *threads = argument;
    unsigned seen = 0;
    for (;;) {
        await(threads, &threads->helpers, has_begun, seen);
        if (atomic_load(&threads->ended))
            return NULL;
        seen = atomic_load(&threads->tasks);
        take_parts(threads);
        if (atomic_fetch_sub(&threads->working, 1) == 1)
            wake(threads, &threads->caller);
    }
}

static void run(void *context, thread_team_task *task, void *work, size_t parts)
{
    struct threads *threads = context;
    threads->task = task;
    threads->work = work;
    threads->parts = parts;
    atomic_store(&threads->next, 0);
    atomic_store(&threads->working, threads->thread_count);
    atomic_fetch_add(&threads->tasks, 1);
    wake(threads, &threads->helpers);
    take_parts(threads);
    await(threads, &threads->caller, is_done, 0);
}

struct thread_team *team_threads_create(unsigned count)
{
    struct threads *threads = calloc(1, sizeof *threads + count * sizeof *threads->ids);
    if (threads == NULL)
        return NULL;
    pthread_mutex_init(&threads->lock, NULL);
    pthread_cond_init(&threads->helpers.wake, NULL);
    pthread_cond_init(&threads->caller.wake, NULL);
    while (threads->thread_count + 1 < count &&
           pthread_create(&threads->ids[threads->thread_count], NULL, help, threads) == 0)
        threads->thread_count++;
    threads->team = (struct thread_team){
        .size = threads->thread_count + 1, .context = threads, .run_parts = run};
    return &threads->team;
}

void team_threads_destroy(struct thread_team *team)
{
    if (team == NULL)
        return;
    struct threads *threads = team->context;
    atomic_store(&threads->ended, true);
    wake(threads, &threads->helpers);
    for (size_t i = 0; i < threads->thread_count; i++)
        pthread_join(threads->ids[i], NULL);
    pthread_cond_destroy(&threads->caller.wake);
    pthread_cond_destroy(&threads->helpers.wake);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}
