/* connections.h - the register of open connections: cuts off the slow ones, and drains.
 *
 * libmicrohttpd's timeout is one of inactivity: a byte now and then lives for ever. Here a
 * connection has an absolute deadline while its client has the word: from its opening to the
 * request line, from there to the end of the body, and between two requests. Past it the socket is
 * shut down, which its event loop sees as the client's leaving.
 *
 * A client's leaving that arrives together with data is one that libmicrohttpd never learns of: it
 * reads the data and waits for an event that has been. Such connections are looked for each second
 * and their sockets shut down for reading, which is an event. */
#ifndef SERVER_HTTP_CONNECTIONS_H
#define SERVER_HTTP_CONNECTIONS_H

#include <stdbool.h>

struct connections; /* the register */
struct connection;  /* an entry */

/* A register of at most `limit` connections. NULL: no memory or no thread */
struct connections *connections_create(unsigned seconds, unsigned limit);
void connections_destroy(struct connections *connections); /* when all are closed; takes NULL */

/* One is being accepted, so that a drain waits for it: connections_open() or connections_miss()
 * follows. False: there are as many as may be. */
bool connections_expect(struct connections *connections);
void connections_miss(struct connections *connections);

struct connection *connections_open(struct connections *connections, int socket); /* NULL: memory */
void connections_close(struct connections *connections, struct connection *connection);

/* A request line has come; the request is wholly there; its answer is sent. */
void connections_request_begun(struct connections *connections, struct connection *connection);
void connections_request_received(struct connection *connection);
void connections_request_ended(struct connections *connections, struct connection *connection);

/* Waits for the connections to end, whose answers now say close, for a moment of grace. */
void connections_settle(struct connections *connections);

/* Then those between two requests are closed (what has arrived is still read), and after a longer
 * while those that never had one. Returns whether all were closed within `seconds`. */
bool connections_drain(struct connections *connections, unsigned seconds);

#endif
