#include "hands.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

struct hands {
    struct crew crew;
    pthread_mutex_t lock;
    pthread_cond_t begin; /* there is a task, or it is the end */
    pthread_cond_t done;  /* nobody works any more */
    uint64_t tasks;       /* so far */
    bool ended;
    crew_task *task;
    void *work;
    size_t parts;
    atomic_size_t next; /* part to take */
    size_t working;     /* threads */
    size_t thread_count;
    pthread_t threads[];
};

static void take_parts(struct hands *hands)
{
    size_t part;
    while ((part = atomic_fetch_add(&hands->next, 1)) < hands->parts)
        hands->task(hands->work, part);
}

static void *help(void *argument)
{
    struct hands *hands = argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&hands->lock);
    for (;;) {
        while (hands->tasks == seen && !hands->ended)
            pthread_cond_wait(&hands->begin, &hands->lock);
        if (hands->ended)
            break;
        seen = hands->tasks;
        pthread_mutex_unlock(&hands->lock);
        take_parts(hands);
        pthread_mutex_lock(&hands->lock);
        if (--hands->working == 0)
            pthread_cond_signal(&hands->done);
    }
    pthread_mutex_unlock(&hands->lock);
    return NULL;
}

static void run(void *context, crew_task *task, void *work, size_t parts)
{
    struct hands *hands = context;
    pthread_mutex_lock(&hands->lock);
    hands->task = task;
    hands->work = work;
    hands->parts = parts;
    atomic_store(&hands->next, 0);
    hands->working = hands->thread_count;
    hands->tasks++;
    pthread_cond_broadcast(&hands->begin);
    pthread_mutex_unlock(&hands->lock);
    take_parts(hands);
    pthread_mutex_lock(&hands->lock);
    while (hands->working > 0)
        pthread_cond_wait(&hands->done, &hands->lock);
    pthread_mutex_unlock(&hands->lock);
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
    pthread_mutex_lock(&hands->lock);
    hands->ended = true;
    pthread_cond_broadcast(&hands->begin);
    pthread_mutex_unlock(&hands->lock);
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
