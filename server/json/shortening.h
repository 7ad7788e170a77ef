/* shortening.h - takes the arrays of numbers out of a JSON text, so that jansson reads the rest
 * only.
 *
 * In an array's place the shorter text has an array of one number, the index of the block that
 * holds the numbers: see internal.h. No other array of the shorter text is a single number, for
 * every array that begins with a number or a bracket is replaced. An array that turns out to hold
 * other things too stays after its index: [2,[1,"a"]]. If an array breaks, the shorter text goes on
 * from the token at which it broke, with as much in front as makes jansson fail there in its own
 * words. */
#ifndef SERVER_JSON_SHORTENING_H
#define SERVER_JSON_SHORTENING_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/buffer.h"

struct document;

/* From `shorter` on, until the next one, the shorter text is the whole text from `whole` on. */
struct shortening_mark {
    size_t shorter;
    size_t whole;
};

struct shortening {
    struct document *document; /* borrowed */
    const char *text, *at, *end;
    const char *copied; /* what lies before it is in the shorter text */
    struct buffer shorter;
    struct buffer marks; /* struct shortening_mark; 0: the shorter text is empty, and the whole one
                            is short */
    bool is_broken;      /* jansson has to fail where the last mark is */
    bool failed;         /* no memory */
};

/* Adds the blocks to the document. If an array broke, what follows it is copied up to `max_size`
 * bytes of the shorter text. */
void shortening_init(struct shortening *shortening, struct document *document, const char *text,
                     size_t size, size_t max_size);
void shortening_finish(struct shortening *shortening);

static inline size_t shortening_mark_count(const struct shortening *shortening)
{
    return shortening->marks.size / sizeof(struct shortening_mark);
}

/* The place in the whole text of one in the shorter text, if there are marks. */
const char *shortening_place(const struct shortening *shortening, size_t position);

#endif
