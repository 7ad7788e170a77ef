/* gzip.h - compresses answers, decompresses bodies. */
#ifndef SERVER_BASE_GZIP_H
#define SERVER_BASE_GZIP_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/buffer.h"

/* Compresses quickly, and adds the result to a buffer. False: no memory, or too many bytes; then
 * nothing is added. */
bool gzip_pack(const void *data, size_t size, struct buffer *packed);

/* Decompresses a stream that comes in pieces. */
struct gunzip;

enum gunzip_status {
    GUNZIP_MORE,   /* all of the piece is used */
    GUNZIP_FULL,   /* `out` is full: call again with the rest */
    GUNZIP_END,    /* the stream has ended */
    GUNZIP_BROKEN, /* it is not a gzip stream */
    GUNZIP_NO_MEMORY
};

struct gunzip *gunzip_create(void);         /* NULL: no memory */
void gunzip_destroy(struct gunzip *gunzip); /* takes NULL */

/* Moves *piece and *piece_size on by what it has used; *ret_size is what it has written to out. */
enum gunzip_status gunzip_piece(struct gunzip *gunzip, const char **piece, size_t *piece_size,
                                char *out, size_t out_size, size_t *ret_size);

#endif
