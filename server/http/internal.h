/* internal.h - what the files of this folder share: the server, and a request on its way. */
#ifndef SERVER_HTTP_INTERNAL_H
#define SERVER_HTTP_INTERNAL_H

#include <stdatomic.h>

#include "server/base/thread_pool.h"
#include "server/http/body.h"
#include "server/http/connections.h"
#include "server/http/headers.h"
#include "server/http/keys.h"
#include "server/http/listener.h"
#include "server/http/malformed.h"
#include "server/http/reply.h"
#include "server/http/route.h"
#include "server/http/server.h"
#include "server/http/tls.h"

struct http_server {
    struct http_options options;
    struct service *service;
    struct MHD_Daemon *daemon;
    struct keys *keys; /* NULL: no key is needed */
    struct thread_pool *pool;
    struct thread_pool *writers; /* for short writes, which wait for no computation */
    struct connections *connections;
    struct listener listener;
    uint64_t first_request; /* a number that no other start of the server has */
    atomic_uint_least64_t requests;
    atomic_bool stopping; /* a job that has not begun does not begin any more, and others end */
};

/* Starts libmicrohttpd with this many event loops, without a socket to listen on. NULL: no memory
 * or no thread. Its callbacks are in exchange.c. */
struct MHD_Daemon *exchange_start_daemon(struct http_server *server, unsigned loops);

/* Bytes of a method and of a host with its port, with the final NUL. */
enum { EXCHANGE_METHOD = 16, EXCHANGE_AUTHORITY = 264 };

/* A client that is sending sees no answer before it has sent all: this much of a body that is too
 * large, in units of the largest allowed, is read and discarded. */
enum { DISCARDED_BODIES = 4 };

/* A request and its reply, from the request line to the log line. A connection has one exchange,
 * which serves one request after another. */
struct exchange {
    struct http_server *server;
    struct connection connection;
    int64_t begun_ns;          /* this and what follows are of the request */
    const struct route *route; /* NULL: refused */
    struct keys_holder holder; /* of the key that it has; "": none */
    struct request request;
    struct malformed_place reading;
    struct thread_pool_job job;
    struct stop_check stop_check;
    _Atomic int64_t look;         /* when to look next whether the client has left */
    char method[EXCHANGE_METHOD]; /* as the log shows it */
    const char *target;           /* of the request line, in libmicrohttpd's memory */
    const char *target_end;
    char path[LIMIT_PATH + 1];
    char authority[EXCHANGE_AUTHORITY]; /* of an absolute request target: in place of Host; or "" */
    bool path_is_plain;
    bool headers_read;
    bool close;
    bool is_received;
    struct body body;
    struct charge memory; /* of reading it */
    size_t max_bytes;     /* of the body */
    size_t received;      /* bytes of the body, kept or not */
    unsigned status;      /* 0: not answered */
    size_t answer_bytes;
    size_t charged;     /* in the budget of answers */
    struct reply reply; /* last: see reply_init() */
};

#endif
