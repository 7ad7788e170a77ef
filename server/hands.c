/* hands.c - tasks follow each other within microseconds, and to wake a sleeping thread takes far
 * longer: whoever waits looks again and again for a while before he sleeps. */
#include "hands.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { AWAKE_NANOSECONDS = 100000, LOOKS_A_TIME = 64 };

struct hands {
    struct crew crew;
    crew_task *task;
    void *work;
    size_t parts;
    atomic_size_t next;    /* part to take */
    atomic_uint tasks;     /* so far */
    atomic_size_t working; /* threads that are not done with the task */
    atomic_bool ended;

    pthread_mutex_t lock; /* of who sleeps */
    pthread_cond_t begin;
    pthread_cond_t done;
    size_t sleepers; /* threads */
    bool is_awaited; /* the caller sleeps */

    size_t thread_count;
    pthread_t threads[];
};

static void take_parts(struct hands *hands)
{
    size_t part;
    while ((part = atomic_fetch_add(&hands->next, 1)) < hands->parts)
        hands->task(hands->work, part);
}

static inline void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static bool has_begun(struct hands *hands, unsigned seen)
{
    return atomic_load(&hands->tasks) != seen || atomic_load(&hands->ended);
}

static bool is_done(struct hands *hands, unsigned seen)
{
    (void)seen;
    return atomic_load(&hands->working) == 0;
}

/* Whether it came to be so while this thread stayed awake. */
static bool look_for(struct hands *hands, bool (*is_so)(struct hands *, unsigned), unsigned seen)
{
    const int64_t end = nanoseconds() + AWAKE_NANOSECONDS;
    do {
        for (int look = 0; look < LOOKS_A_TIME; look++) {
            if (is_so(hands, seen))
                return true;
            pause_briefly();
        }
        sched_yield(); /* to one who has work, where there are more threads than cores */
    } while (nanoseconds() < end);
    return false;
}

static void await_task(struct hands *hands, unsigned seen)
{
    if (look_for(hands, has_begun, seen))
        return;
    pthread_mutex_lock(&hands->lock);
    hands->sleepers++;
    while (!has_begun(hands, seen))
        pthread_cond_wait(&hands->begin, &hands->lock);
    hands->sleepers--;
    pthread_mutex_unlock(&hands->lock);
}

static void await_done(struct hands *hands)
{
    if (look_for(hands, is_done, 0))
        return;
    pthread_mutex_lock(&hands->lock);
    hands->is_awaited = true;
    while (!is_done(hands, 0))
        pthread_cond_wait(&hands->done, &hands->lock);
    hands->is_awaited = false;
    pthread_mutex_unlock(&hands->lock);
}

static void tell_done(struct hands *hands)
{
    if (atomic_fetch_sub(&hands->working, 1) > 1)
        return;
    pthread_mutex_lock(&hands->lock);
    if (hands->is_awaited)
        pthread_cond_signal(&hands->done);
    pthread_mutex_unlock(&hands->lock);
}

static void wake_sleepers(struct hands *hands)
{
    pthread_mutex_lock(&hands->lock);
    if (hands->sleepers > 0)
        pthread_cond_broadcast(&hands->begin);
    pthread_mutex_unlock(&hands->lock);
}

static void *help(void *argument)
{
    struct hands *hands = argument;
    unsigned seen = 0;
    for (;;) {
        await_task(hands, seen);
        if (atomic_load(&hands->ended))
            return NULL;
        seen = atomic_load(&hands->tasks);
        take_parts(hands);
        tell_done(hands);
    }
}

static void run(void *context, crew_task *task, void *work, size_t parts)
{
    struct hands *hands = context;
    hands->task = task;
    hands->work = work;
    hands->parts = parts;
    atomic_store(&hands->next, 0);
    atomic_store(&hands->working, hands->thread_count);
    atomic_fetch_add(&hands->tasks, 1);
    wake_sleepers(hands);
    take_parts(hands);
    await_done(hands);
}

struct hands *hands_create(unsigned count)
{
    struct hands *hands = calloc(1, sizeof *hands + count * sizeof *hands->threads);
    if (hands == NULL)
        return NULL;
    pthread_mutex_init(&hands->lock, NULL);
    pthread_cond_init(&hands->begin, NULL);
    pthread_cond_init(&hands->done, NULL);
    while (hands->thread_count + 1 < count &&
           pthread_create(&hands->threads[hands->thread_count], NULL, help, hands) == 0)
        hands->thread_count++;
    hands->crew = (struct crew){.size = hands->thread_count + 1, .context = hands, .run = run};
    return hands;
}

void hands_destroy(struct hands *hands)
{
    if (hands == NULL)
        return;
    atomic_store(&hands->ended, true);
    wake_sleepers(hands);
    for (size_t i = 0; i < hands->thread_count; i++)
        pthread_join(hands->threads[i], NULL);
    pthread_cond_destroy(&hands->done);
    pthread_cond_destroy(&hands->begin);
    pthread_mutex_destroy(&hands->lock);
    free(hands);
}

const struct crew *hands_crew(const struct hands *hands)
{
    return &hands->crew;
}
