/* options.h - how tempotrond is told what to do: flag > environment > default. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct options {
    const char *listen;
    const char *db;
    const char *hosts;    /* NULL: by the address */
    unsigned connections; /* 0: the default */
    size_t max_body_bytes;
    size_t max_dataset_bytes;
    size_t max_bodies_bytes;
    unsigned request_timeout_seconds;
    unsigned drain_timeout_seconds;
    unsigned workers; /* that train */
    unsigned threads; /* of one run; and for large requests */
    bool log_requests;
    bool healthcheck; /* ask a running server instead of serving */
};

enum options_result { OPTIONS_GO_ON, OPTIONS_DONE, OPTIONS_WRONG };

/* Reads flags and environment. OPTIONS_DONE: --help or --version has been printed; OPTIONS_WRONG: a
 * sentence has been printed to stderr. Strings are borrowed from argv and the environment. */
enum options_result options_read(int argc, char **argv, struct options *ret_options);

#endif
