/* numbers.h - reads an array of numbers from a JSON text, in one pass, into one block.
 *
 * jansson does not read these arrays. Texts that it would refuse are refused here too, and numbers
 * have the bits that it would give them (of a double, then rounded to float32). */
#ifndef SERVER_JSON_NUMBERS_H
#define SERVER_JSON_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/problem.h"

enum { NUMBERS_RANK = 4, NUMBERS_DEPTH = 64, NUMBERS_DETAIL = 96 };

static inline bool numbers_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The first element that does not fit into a rectangular array of float32. */
struct numbers_fault {
    enum problem_code code; /* PROBLEM_NONE: all fit */
    unsigned depth;         /* how many of the path's indices lead to it */
    size_t path[NUMBERS_RANK];
    char detail[NUMBERS_DETAIL];
};

struct numbers {
    const char *text; /* from its first bracket to after its last one; borrowed */
    size_t size;
    unsigned rank; /* as the first elements, followed inwards, say it; NUMBERS_RANK + 1: deeper */
    size_t shape[NUMBERS_RANK]; /* [rank] likewise; the last may be 0 */
    unsigned depth;             /* of the deepest brackets */
    size_t count;               /* of all numbers, whether they fit or not */
    float *values;              /* row-major, malloc'ed, owned; NULL if there is a fault */
    const uint8_t *bytes;       /* instead of them, if an array of bytes was given; borrowed */
    struct numbers_fault fault;
};

enum numbers_result {
    NUMBERS_READ,
    NUMBERS_MIXED,  /* an element is neither a number nor an array */
    NUMBERS_BROKEN, /* something else stands where an element, a comma or an end must */
    NUMBERS_NO_MEMORY
};

/* Reads the array whose bracket is at *at, and moves *at past it, or to the token at which it can't
 * go on, which may be a number beyond a double. Free with numbers_finish() if it was read. */
enum numbers_result numbers_read(const char **at, const char *end, struct numbers *ret_numbers);
void numbers_finish(struct numbers *numbers); /* does nothing on a zeroed one */

/* Goes through the tokens of an array that was read. */
struct numbers_walk {
    const char *at, *end;
};
enum numbers_token { NUMBERS_OPEN, NUMBERS_CLOSE, NUMBERS_NUMBER, NUMBERS_END };
struct numbers_walk numbers_walk(const struct numbers *numbers);
enum numbers_token numbers_next(struct numbers_walk *walk, double *value);

#endif
