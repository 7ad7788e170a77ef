/* park.h - requests that wait for an event, or until their deadline.
 *
 * An event has a number: the id of the run whose end it is. One thread resumes the requests whose
 * deadline has come. A connection is suspended before it enters, so that a thread that wakes it
 * finds it suspended; once it is resumed it belongs to its event loop again, and the park has
 * forgotten it. */
#ifndef SERVER_HTTP_PARK_H
#define SERVER_HTTP_PARK_H

#include <stdint.h>
#include <time.h>

struct MHD_Connection;
struct park;

/* A place in the park: a part of the request, which must not be moved while it waits. */
struct park_place {
    struct MHD_Connection *connection;
    int64_t event;
    struct timespec deadline; /* CLOCK_MONOTONIC */
    struct park_place *next;
};

struct park *park_create(void);       /* NULL: no memory or no thread */
void park_destroy(struct park *park); /* closes it first; takes NULL */

/* Parks a suspended connection. A closed park resumes it at once. */
void park_enter(struct park *park, struct park_place *place, struct MHD_Connection *connection,
                int64_t event, unsigned seconds);
/* Resumes the requests that wait for an event. From any thread. */
void park_wake(struct park *park, int64_t event);
/* Resumes all requests; from now on none waits. */
void park_close(struct park *park);

#endif
