/* shortening.h - takes the arrays of numbers out of a JSON text, so that jansson reads the rest
 * only.
 *
 * In an array's place the shorter text has an array of one number, the index of the block that
 * holds the numbers: see internal.h. If an array breaks, the shorter text goes on from the token at
 * which it broke, with as much in front as makes jansson fail there in its own words. */
#ifndef SERVER_JSON_SHORTENING_H
#define SERVER_JSON_SHORTENING_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/buffer.h"

/* From `shorter` on, until the next one, the shorter text is the whole text from `whole` on. */
struct shortening_mark {
    size_t shorter;
    size_t whole;
};

struct shortening {
    const char *text, *at, *end;
    const char *copied;    /* what lies before it is in the shorter text */
    struct buffer *blocks; /* of the document, borrowed */
    struct buffer shorter; /* it has failed if any memory was missing */
    struct buffer marks;   /* struct shortening_mark, one or more */
    bool is_broken;        /* jansson has to fail where the last mark is */
    bool is_too_large;     /* the shorter text is, or there are too many blocks: it is not whole */
};

/* Adds the blocks to those of the document. The shorter text may have `max_size` bytes. */
void shortening_init(struct shortening *shortening, struct buffer *blocks, const char *text,
                     size_t size, size_t max_size);
void shortening_finish(struct shortening *shortening);

/* The place in the whole text of one in the shorter text. */
const char *shortening_place(const struct shortening *shortening, size_t position);

#endif
