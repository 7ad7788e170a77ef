#include "hands.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>

struct hand {
    pthread_t thread;
    crew_task *task;
    void *work;
    size_t part;
};

static void *work(void *argument)
{
    const struct hand *hand = argument;
    hand->task(hand->work, hand->part);
    return NULL;
}

static void run(void *context, crew_task *task, void *task_work, size_t parts)
{
    (void)context;
    struct hand *all = calloc(parts, sizeof *all);
    ck_assert_ptr_nonnull(all);
    for (size_t part = 0; part < parts; part++) {
        all[part] = (struct hand){.task = task, .work = task_work, .part = part};
        ck_assert_int_eq(pthread_create(&all[part].thread, NULL, work, &all[part]), 0);
    }
    for (size_t part = 0; part < parts; part++)
        pthread_join(all[part].thread, NULL);
    free(all);
}

struct crew hands(size_t size)
{
    return (struct crew){.size = size, .run = run};
}
