/* internal.h - what the http*.c files share of the server. */
#ifndef SERVER_HTTP_INTERNAL_H
#define SERVER_HTTP_INTERNAL_H

#include <linux/limits.h>
#include <stdatomic.h>

#include "server/base/thread_pool.h"
#include "server/http/body.h"
#include "server/http/connections.h"
#include "server/http/listen.h"
#include "server/http/park.h"
#include "server/http/server.h"

struct MHD_Daemon;

struct http_server {
    struct http_options options;
    struct service *service;
    struct MHD_Daemon *daemon;
    struct acceptor *acceptor;
    struct waiting_room *room;
    struct thread_pool *pool;
    struct connections *connections;
    char directory[PATH_MAX];
    struct listen_sockets sockets;
    struct http_body_limits body_limits;
    atomic_size_t bodies_bytes;     /* of all bodies in flight, in memory */
    atomic_size_t body_files_bytes; /* and in files */
    uint64_t first_request;         /* a number that no other start of the server has */
    atomic_uint_least64_t requests;
    atomic_bool draining;
    atomic_bool stopping; /* what has not begun does not begin any more */
};

#endif
