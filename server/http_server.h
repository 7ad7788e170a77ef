/* http_server.h - what the http*.c files share of the server. */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include <stdatomic.h>

#include "http.h"
#include "http_connections.h"
#include "http_park.h"

struct MHD_Daemon;

enum { HTTP_ADDRESS = 64 };

struct http_server {
    struct http_options options;
    struct service *service;
    struct MHD_Daemon *daemon;
    struct acceptor *acceptor;
    struct waiting_room *room;
    struct connections *connections;
    int socket; /* listening; -1: closed */
    char address[HTTP_ADDRESS];
    atomic_size_t bodies_bytes; /* of all bodies in flight */
    atomic_bool draining;
};

#endif
