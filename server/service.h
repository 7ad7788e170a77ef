/* service.h - what the handlers and workers share. Made and torn down by main.c. */
#ifndef SERVER_SERVICE_H
#define SERVER_SERVICE_H

#include <stdatomic.h>
#include <stddef.h>

struct store_pool;
struct model_cache;
struct trainer;
struct http_server;

struct service {
    struct store_pool *stores;
    struct model_cache *cache; /* models in memory */
    struct trainer *trainer;   /* runs in the background */
    size_t max_dataset_bytes;  /* of one array */
    struct http_server *http;  /* set before the first request and the first run */
    atomic_bool draining;      /* not ready any more */
};

#endif
