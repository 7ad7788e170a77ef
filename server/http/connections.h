/* connections.h - the register of open connections: it limits their number, cuts off the slow ones,
 * and drains.
 *
 * The timeout of libmicrohttpd is one of inactivity: a client that sends a byte now and then stays
 * for ever. Here a connection has an absolute deadline while its client has something to send: from
 * its opening to the request line, from there to the end of the body, and between two requests.
 * After it the socket is shut down, which the event loop sees as if the client had left.
 *
 * libmicrohttpd misses a client's leaving that arrives together with data: it reads the data and
 * waits for an event that has already been. The register looks for such connections each second
 * and shuts their sockets down for reading, which is an event.
 *
 * The limit is enforced here, and libmicrohttpd is told one that it never reaches: a thread of its
 * pool that reaches its share keeps a mutex locked for ever (0.9.75 to 0.9.77). */
#ifndef SERVER_HTTP_CONNECTIONS_H
#define SERVER_HTTP_CONNECTIONS_H

#include <stdbool.h>

struct connections; /* the register */
struct connection;  /* an entry */

/* A register of at most `limit` connections. NULL: no memory or no thread */
struct connections *connections_create(unsigned seconds, unsigned limit);
void connections_destroy(struct connections *connections); /* when all are closed; takes NULL */

unsigned connections_limit(const struct connections *connections);

/* A connection has been accepted, and a drain waits for it: connections_open() or
 * connections_miss() follows. At the limit, the connection without a request whose client has been
 * silent for the longest time makes room. False: every connection has a request. */
bool connections_expect(struct connections *connections);
void connections_miss(struct connections *connections);

struct connection *connections_open(struct connections *connections, int socket); /* NULL: memory */
void connections_close(struct connections *connections, struct connection *connection);

/* A request line has come; the request is wholly there; its answer is sent. */
void connections_request_begun(struct connections *connections, struct connection *connection);
void connections_request_received(struct connection *connection);
void connections_request_ended(struct connections *connections, struct connection *connection);

/* Waits for a moment until the connections end; their answers say close now. */
void connections_settle(struct connections *connections);

/* Closes the connections between two requests (what has arrived is still read), and after a longer
 * wait those that never had a request. Returns whether all were closed within `seconds`. */
bool connections_drain(struct connections *connections, unsigned seconds);

#endif
