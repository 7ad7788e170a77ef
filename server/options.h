/* options.h - how tempotrond is configured: an option overrides an environment variable, which
 * overrides the default. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include "server/http/server.h"

struct options {
    struct http_options http; /* its pool_threads are those of one run, too */
    const char *db;
    size_t max_store_bytes; /* of the database's file */
    size_t model_cache_bytes;
    size_t memory_bytes; /* of runs, and of requests that name datasets */
    unsigned drain_timeout_seconds;
    unsigned workers; /* threads that train */
    unsigned checkpoint_seconds;
    bool sandbox;     /* see sandbox.h */
    bool healthcheck; /* ask a running server instead of serving */
};

enum { OPTIONS_GO_ON = -1 };

/* Reads options and environment. Returns OPTIONS_GO_ON, or the status to exit with: --help or
 * --version has been printed, or a line on stderr says what is wrong. Strings are borrowed from
 * argv and the environment; members of `http` that are not options are zeroed. An argument that
 * belongs to no option is wrong, except one if there may be a file: it becomes *ret_file, which
 * stays as it is if there is none. NULL: there may be none. */
int options_read(int argc, char **argv, const char **ret_file, struct options *ret_options);

#endif
