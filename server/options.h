/* options.h - how tempotrond is configured: a flag overrides an environment variable, which
 * overrides the default. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *listen;
    const char *hosts; /* NULL: depends on the address */
    const char *db;
    unsigned connections;
    size_t max_body_bytes;
    size_t max_bodies_bytes;
    size_t max_dataset_bytes;
    size_t model_cache_bytes;
    unsigned request_timeout_seconds;
    unsigned drain_timeout_seconds;
    unsigned workers; /* threads that train */
    unsigned threads; /* of one run; and for large requests */
    bool log_requests;
    bool healthcheck; /* ask a running server instead of serving */
};

enum options_result { OPTIONS_GO_ON, OPTIONS_DONE, OPTIONS_WRONG };

/* Reads flags and environment. OPTIONS_DONE: --help or --version has been printed; OPTIONS_WRONG: a
 * line on stderr says what is wrong. Strings are borrowed from argv and the environment. */
enum options_result options_read(int argc, char **argv, struct options *ret_options);

#endif
