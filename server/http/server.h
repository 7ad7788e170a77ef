/* server.h - the HTTP floor: connections, headers, bodies, replies. The only files that know
 * libmicrohttpd are http*.c.
 *
 * An epoll thread pool of one thread a core. The first callback refuses what is malformed and
 * matches the route, the body is collected up to the limit, the last callback runs the handler and
 * sends its reply; one log line a request. */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service;
struct http_server;
struct route;

struct http_options {
    const char *listen; /* "127.0.0.1:8080", "[::1]:0" */
    const char *hosts;  /* names that it answers to (see http_guard.h); NULL: on a loopback address
                           those of the loopback, else any */
    size_t max_body_bytes;            /* of one request */
    size_t max_bodies_bytes;          /* of all requests in flight; beyond it 503 */
    size_t max_file_bytes;            /* of a body that is kept in a file */
    const char *directory;            /* for such files */
    unsigned request_timeout_seconds; /* a request not wholly received by then is cut off */
    unsigned threads;                 /* that serve; 0: two a core */
    unsigned pool_threads;            /* for what would hold those up */
    bool log_requests;
    const struct route *routes; /* borrowed */
    size_t routes_count;
};

/* Listens and serves. *ret_server is set before the first request is handled, so handlers may use
 * it. On failure false, with a sentence in error[error_size] (address taken, not an address ...).
 */
bool http_server_start(const struct http_options *options, struct service *service,
                       struct http_server **ret_server, char *error, size_t error_size);

/* "127.0.0.1:43210": where it really listens. Borrowed from the server. */
const char *http_server_address(const struct http_server *server);

/* The event `key` has happened: finishes the requests parked for it. From any thread. */
void http_server_wake(struct http_server *server, int64_t key);

/* Accepts no new connection, finishes parked requests, and lets the others end up to `seconds`: no
 * accepted request is cut short before that. */
void http_server_drain(struct http_server *server, unsigned seconds);

/* Stops and frees what was drained; takes NULL. Nobody wakes it any more. */
void http_server_destroy(struct http_server *server);

#endif
