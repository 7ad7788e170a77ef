/* park.h - the waiting room: requests suspended until an event, or their deadline.
 *
 * An event is a key (the id of a run). One thread resumes those whose deadline has come. A
 * connection is suspended before it enters, so that whoever wakes it finds it asleep; once resumed
 * it belongs to its event loop again and the room has forgotten it. */
#ifndef SERVER_HTTP_PARK_H
#define SERVER_HTTP_PARK_H

#include <stdint.h>
#include <time.h>

struct MHD_Connection;
struct waiting_room;

/* A place in the room; part of what waits, and not to be moved meanwhile. */
struct waiting_place {
    struct MHD_Connection *connection;
    int64_t key;
    struct timespec deadline; /* CLOCK_MONOTONIC */
    struct waiting_place *next;
};

struct waiting_room *waiting_room_create(void);       /* NULL: no memory or no thread */
void waiting_room_destroy(struct waiting_room *room); /* closes first; takes NULL */

/* Parks a suspended connection; in a closed room it is resumed at once. */
void waiting_room_enter(struct waiting_room *room, struct waiting_place *place,
                        struct MHD_Connection *connection, int64_t key, unsigned seconds);
/* Resumes those that wait for `key`. From any thread. */
void waiting_room_wake(struct waiting_room *room, int64_t key);
/* Resumes everybody; from now on nobody waits. */
void waiting_room_close(struct waiting_room *room);

#endif
