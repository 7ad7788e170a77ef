/* team_threads.h - threads that work as a core/thread_team.h, and wait between two tasks. */
#ifndef SERVER_BASE_TEAM_THREADS_H
#define SERVER_BASE_TEAM_THREADS_H

#include "core/thread_team.h"

/* A team of up to `count` threads, the caller's own included; fewer if some can't be started. They
 * inherit the caller's scheduling. One thread at a time may use the team. NULL: no memory. */
struct thread_team *team_threads_create(unsigned count);
void team_threads_destroy(struct thread_team *team); /* takes NULL */

#endif
