/* connections.h - the register of open connections: it limits their number, cuts off the slow ones,
 * keeps those whose request waits for an event, and drains.
 *
 * A timeout of libmicrohttpd would be one of inactivity: a client that sends a byte now and then
 * would stay for ever, and one whose kernel is silent until its buffer has room would be cut off.
 * Here a connection has an absolute deadline while its client has something to send: from
 * its opening to the request line, from there to the end of the body, and between two requests.
 * After it the socket is shut down, which the event loop sees as if the client had left. While an
 * answer is being sent, the client has to read LIMIT_READ_RATE bytes a second, as the kernel counts
 * what it has acknowledged.
 *
 * libmicrohttpd misses a client's leaving that arrives together with data: it reads the data and
 * waits for an event that has already been. The register looks for such connections each second
 * and shuts their sockets down for reading, which is an event.
 *
 * The limit is enforced here, and libmicrohttpd is told one that it never reaches: a thread of its
 * pool that reaches its share keeps a mutex locked for ever (0.9.75 to 0.9.77). */
#ifndef SERVER_HTTP_CONNECTIONS_H
#define SERVER_HTTP_CONNECTIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* A request is that old, in nanoseconds, before its client counts as one that has left: one that
 * closed only its own side, and waits for the answer, can't be told from it. */
#define CONNECTIONS_LEFT_WAIT INT64_C(1000000000)

struct MHD_Connection;
struct sockaddr;
struct connections; /* the register */

/* An entry, which its owner provides. Each request changes its own only, so that the event loops
 * don't contend here. Times are nanoseconds of the monotonic clock. */
struct connection {
    struct connection *next; /* these two are for insque() */
    struct connection *previous;
    struct MHD_Connection *handle;
    int socket;
    unsigned address;            /* its client's, as a number of the register */
    atomic_int state;            /* see connections.c */
    _Atomic int64_t deadline;    /* for what the client has to send; 0: it has nothing to send */
    _Atomic int64_t answer_look; /* when its client must have read more; 0: it has no answer */
    uint64_t answer_read;        /* bytes that the client had read before; of the register */
    int64_t wait_end;            /* 0: it does not wait */
    int64_t leave_look;          /* from when a wait ends if its client has left */
    int64_t event;               /* that it waits for */
};

/* A register of at most `limit` connections, and of `per_address` of one address (0: as many),
 * whose clients have this many seconds for what they send. The first 64 bits of an address of IPv6
 * count. The last sixteenth of the places, two at least, is for addresses that have at most one
 * connection: a probe gets in while few addresses hold all others. NULL: no memory or no thread */
struct connections *connections_create(unsigned limit, unsigned per_address, unsigned seconds);
void connections_destroy(struct connections *connections); /* when all are closed; takes NULL */

/* An accepted connection takes a place, and a drain waits for it: connections_open() follows, or
 * the place is given back. At a limit, the connection without a request whose client has been
 * silent for the longest time makes room, at that of an address one of that address. False: every
 * one has a request. */
bool connections_take_place(struct connections *connections, const struct sockaddr *address);
void connections_give_back_place(struct connections *connections, const struct sockaddr *address);

void connections_open(struct connections *connections, struct connection *connection,
                      struct MHD_Connection *handle);
void connections_close(struct connections *connections, struct connection *connection);

/* A request line has come; the request is wholly there; its answer begins; it is sent. */
void connections_request_begun(struct connections *connections, struct connection *connection);
void connections_request_received(struct connection *connection);
void connections_answer_begun(struct connection *connection);
void connections_request_ended(struct connections *connections, struct connection *connection);

/* Whether the client has closed its side, though what it sent before may be unread, or the
 * connection is broken. */
bool connections_has_left(const struct connection *connection);

/* The request waits for an event, e.g. the end of a run by its id, or for some seconds, at least
 * one, or until its client has left: then its connection, which has been suspended, is resumed, and
 * belongs to its event loop again. A register that settles resumes it at once. */
void connections_wait(struct connections *connections, struct connection *connection, int64_t event,
                      unsigned seconds);
/* The event has happened. From any thread. */
void connections_wake(struct connections *connections, int64_t event);

/* Ends all waits, and waits for a moment until the connections end; their answers say close now. */
void connections_settle(struct connections *connections);

/* Closes the connections between two requests (what has arrived is still read), and after a longer
 * wait those that never had a request. Lets the others end, up to `seconds`. */
void connections_drain(struct connections *connections, unsigned seconds);

#endif
