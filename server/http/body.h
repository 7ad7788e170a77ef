/* body.h - the body of a request as it arrives: kept in memory, or written to a file.
 *
 * Memory grows with what has arrived, not with what was announced, and counts against the server's
 * budget of bytes in flight. The first LIMIT_SMALL_BODY bytes are not counted, as each connection
 * may cost that much: a small body is kept whatever others hold. A compressed body is kept as it is
 * while it arrives, and decompressed when it is whole, which may take much longer; the same then
 * holds for what comes out of it. One that goes to a file stays as it is. */
#ifndef SERVER_HTTP_BODY_H
#define SERVER_HTTP_BODY_H

#include "server/base/budget.h"
#include "server/base/buffer.h"
#include "server/base/gzip.h"
#include "server/base/problem.h"

/* What bodies may take, beyond which they are refused, and what they take now. */
struct body_limits {
    size_t max_bytes;                     /* of one body, compressed or not */
    size_t max_file_bytes;                /* of one body in a file */
    struct budget memory;                 /* of all bodies in memory */
    struct budget files;                  /* of all bodies in files */
    const char *directory;                /* for files; borrowed */
    void (*on_file_error)(void *context); /* a file could not be made or written to */
    void *context;                        /* borrowed */
};

/* As many files of the largest size may be there at once. */
enum { BODY_FILES_AT_ONCE = 4 };

struct body {
    struct body_limits *limits; /* borrowed */
    struct buffer bytes;        /* its capacity is counted in the budget */
    int file;                   /* owned; -1: none */
    size_t file_bytes;          /* likewise */
    size_t announced;           /* bytes, by Content-Length; 0: not known */
    bool is_packed;        /* compressed: it is in `packed`, and not yet, or in part, in `bytes` */
    struct buffer packed;  /* counted likewise */
    size_t unpacked;       /* bytes of these that have been decompressed */
    struct gunzip *gunzip; /* owned; NULL: none has */
};

/* Begins a body in memory. */
void body_begin(struct body *body, struct body_limits *limits, bool is_gzip, size_t announced);
/* Begins a body in a file without a name, which no other program sees. */
bool body_begin_file(struct body *body, struct body_limits *limits, struct problem *problem);

/* False with the problem set: a body of this size is too large. */
bool body_check_size(size_t size, size_t max, struct problem *problem);

/* Keeps a piece. False with the problem set. */
bool body_add(struct body *body, const char *piece, size_t size, struct problem *problem);

/* After the last piece: decompresses a compressed body until it has, in `bytes`, more than `enough`
 * bytes or all. Call it again for the rest. False with the problem set: no memory, or the stream is
 * too large, broken or cut off. */
bool body_unpack(struct body *body, size_t enough, struct problem *problem);

/* Frees what the body holds; does nothing on a body that has been dropped, or never began. */
void body_drop(struct body *body);

#endif
