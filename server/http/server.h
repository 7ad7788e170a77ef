/* server.h - the HTTP server: connections, headers, bodies, replies. Only the files of this folder
 * include microhttpd.h. */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/body.h"
#include "server/http/listener.h"

struct request;
struct service;
struct http_server;
struct route;

/* In place of a key file. */
#define API_KEYS_NONE "none"

struct http_options {
    struct listener_address listen;
    const char *api_key_file; /* see keys.h; API_KEYS_NONE: there are no keys; NULL: likewise, but
                                 only on a loopback address */
    const char *tls_certificate, *tls_key; /* see tls.h; NULL: plain HTTP */
    const char *hosts;    /* names that it answers to (see headers.h); NULL: on a loopback address
                             those of the loopback, else any */
    unsigned connections; /* that may be open at the same time; fewer if the limit of open files is
                             lower */
    unsigned connections_per_address; /* that one address may have; 0: all */
    struct body_limits bodies;        /* no body is there yet */
    struct budget answers;            /* that clients have not read yet; all of it is there */
    unsigned request_timeout_seconds; /* a request that has not arrived by then is cut off */
    unsigned pool_threads;            /* for what would hold up the event loops */
    unsigned other_threads;           /* of the process, that open files too */
    bool log_requests;
    /* Whether the first step of a route ON_EVENT_LOOP_IF_CACHED has to load nothing. */
    bool (*is_cached)(struct service *service, const struct request *request);
    const atomic_bool *draining; /* set before the server drains: answers tell clients to go */
    const struct route *routes;
    size_t routes_count;
};

/* Listens: connections wait until the server starts. It opens here all that it needs from outside
 * of the database's directory. What the options point to is borrowed until it is destroyed. NULL,
 * with a line in error[error_size] that says what is wrong (address taken, no such name ...). */
struct http_server *http_server_open(const struct http_options *options, struct service *service,
                                     char *error, size_t error_size);

/* Serves. On failure false likewise, and the server is to be destroyed. */
bool http_server_start(struct http_server *server, char *error, size_t error_size);

/* "127.0.0.1:43210": the address that was bound, borrowed from the server; and how a URL begins
 * there. */
const char *http_server_address(const struct http_server *server);
const char *http_server_scheme(const struct http_server *server);

/* The event `event` has happened: finishes the requests that wait for it. From any thread. */
void http_server_wake(struct http_server *server, int64_t event);

/* Reads the key file and the certificate again, and logs what comes of it. */
void http_server_reload(struct http_server *server);

/* Accepts no new connection, finishes requests that wait for an event, and lets the others end up
 * to `seconds`: no accepted request is cut short before that. Those that are computed for longer
 * are answered shutting_down, which takes up to a second. */
void http_server_drain(struct http_server *server, unsigned seconds);

/* Stops and frees what was drained, or never started; takes NULL. No thread wakes it any more. */
void http_server_destroy(struct http_server *server);

#endif
