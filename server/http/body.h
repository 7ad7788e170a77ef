/* body.h - the body of a request, as it comes in: kept in memory, or spooled to a file.
 *
 * Memory follows what has come, not what was announced, and counts against the server's budget of
 * bytes in flight. A compressed body is decompressed as it comes; a file is kept as it is. */
#ifndef SERVER_HTTP_BODY_H
#define SERVER_HTTP_BODY_H

#include <stdatomic.h>

#include "server/base/buffer.h"
#include "server/base/gzip.h"
#include "server/base/problem.h"

struct http_body_limits {
    size_t most_bytes;          /* of one body, decompressed */
    size_t most_all_bytes;      /* of all bodies in memory */
    atomic_size_t *all_bytes;   /* in memory now */
    size_t most_file_bytes;     /* of one body in a file */
    size_t most_all_file_bytes; /* of all of them */
    atomic_size_t *all_file_bytes;
    const char *directory; /* for files */
};

struct http_body {
    struct buffer bytes;   /* its capacity is counted in all_bytes */
    int file;              /* owned; -1: none */
    size_t file_bytes;     /* counted in all_file_bytes */
    struct gunzip *gunzip; /* owned; NULL: as it comes */
    size_t announced;      /* 0: not known */
};

/* Before the first piece. False with the problem set. */
bool http_body_begin(struct http_body *body, bool is_gzip, size_t announced,
                     struct problem *problem);
/* Into a file without a name, which nobody else sees. */
bool http_body_begin_file(struct http_body *body, const struct http_body_limits *limits,
                          struct problem *problem);

/* Keeps a piece. False with the problem set. */
bool http_body_add(struct http_body *body, const struct http_body_limits *limits, const char *piece,
                   size_t size, struct problem *problem);

/* After the last piece. False with the problem set, where the body is not whole. */
bool http_body_end(struct http_body *body, struct problem *problem);

/* Gives back what it holds; does nothing on a body that has been dropped. */
void http_body_drop(struct http_body *body, const struct http_body_limits *limits);

#endif
