/* service.h - what the handlers and workers share. Made and torn down by main.c. */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct store_pool;
struct registry;
struct trainer;
struct http_server;

struct service {
    struct store_pool *stores;
    struct registry *registry; /* models in memory */
    struct trainer *trainer;   /* runs in the background */
    size_t max_dataset_bytes;  /* of one array */
    struct http_server *http;  /* set before the trainer starts */
    atomic_bool draining;      /* not ready any more */
    bool logs_all;             /* and not failures alone */
};

#endif
