/* crew.h - hands that share a piece of work. The core starts no threads: who calls it lends them.
 */
#ifndef CORE_CREW_H
#define CORE_CREW_H

#include <stddef.h>

typedef void crew_task(void *work, size_t part);

struct crew {
    size_t size; /* hands */
    void *context;
    /* Calls task(work, part) once for every part in 0 .. parts - 1, from any threads, and returns
     * when all have returned. */
    void (*run)(void *context, crew_task *task, void *work, size_t parts);
};

/* By the caller's own hands where crew is NULL. */
static inline void crew_run(const struct crew *crew, crew_task *task, void *work, size_t parts)
{
    if (crew != NULL && parts > 1) {
        crew->run(crew->context, task, work, parts);
        return;
    }
    for (size_t part = 0; part < parts; part++)
        task(work, part);
}

static inline size_t crew_size(const struct crew *crew)
{
    return crew != NULL ? crew->size : 1;
}

#endif
