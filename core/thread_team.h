/* thread_team.h - threads that share a piece of work. The core starts none: the caller lends them.
 */
#ifndef CORE_THREAD_TEAM_H
#define CORE_THREAD_TEAM_H

#include <stddef.h>

typedef void thread_team_task(void *work, size_t part);

struct thread_team {
    size_t size; /* threads */
    void *context;
    /* Calls task(work, part) once for every part in 0 .. parts - 1, from any threads, and returns
     * when all have returned. */
    void (*run_parts)(void *context, thread_team_task *task, void *work, size_t parts);
};

/* If the team is NULL, the calling thread does all. */
static inline void thread_team_run(const struct thread_team *team, thread_team_task *task,
                                   void *work, size_t parts)
{
    if (team != NULL && parts > 1) {
        team->run_parts(team->context, task, work, parts);
        return;
    }
    for (size_t part = 0; part < parts; part++)
        task(work, part);
}

static inline size_t thread_team_size(const struct thread_team *team)
{
    return team != NULL ? team->size : 1;
}

#endif
