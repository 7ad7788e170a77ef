/* hands.h - threads that share the core's work (core/crew.h): they wait between two tasks. */
#ifndef SERVER_HANDS_H
#define SERVER_HANDS_H

#include "crew.h"

struct hands;

/* A crew of up to `count` hands, the caller's own among them; as many as can be had. They inherit
 * the caller's scheduling. NULL: no memory. */
struct hands *hands_create(unsigned count);
void hands_destroy(struct hands *hands); /* takes NULL */

/* Borrowed; of one thread at a time. */
const struct crew *hands_crew(const struct hands *hands);

#endif
