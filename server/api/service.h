/* service.h - what all handlers share. main.c makes it and tears it down. */
#ifndef SERVER_API_SERVICE_H
#define SERVER_API_SERVICE_H

#include <stdatomic.h>
#include <stddef.h>

struct store_pool;
struct memory;
struct model_cache;
struct trainer;
struct http_server;

struct service {
    struct store_pool *stores;
    struct model_cache *cache; /* the models in memory */
    struct memory *memory;     /* of runs, of requests that name datasets, of models */
    unsigned run_threads;      /* that share the work of a run */
    struct trainer *trainer;   /* trains runs in the background */
    size_t max_dataset_bytes;  /* of one array */
    struct http_server *http;  /* set before the first request and the first run */
    atomic_bool copying;       /* the database, for a client that has not read all of it */
    atomic_bool draining;      /* /health/ready answers 503, and clients are told to go */
};

#endif
