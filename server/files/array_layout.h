/* array_layout.h - what the header of a file says about the array that follows. */
#ifndef SERVER_FILES_ARRAY_LAYOUT_H
#define SERVER_FILES_ARRAY_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/dtype.h"
#include "server/base/problem.h"

enum {
    ARRAY_RANK = 8,  /* dimensions of the largest rank */
    ARRAY_TEXT = 192 /* bytes of a shape's text, e.g. "(60000, 28, 28)" */
};

/* In C's order: the last index runs fastest. */
struct array_layout {
    enum dtype dtype;
    bool is_big_endian; /* of the file; false for values of one byte */
    unsigned rank;      /* 1 .. ARRAY_RANK */
    size_t shape[ARRAY_RANK];
    size_t count;    /* the first dimension: samples */
    size_t features; /* the product of the others; 1 for rank 1 */
    size_t bytes;    /* of all values */
};

/* Computes count, features and bytes from the other members. False with the problem set:
 * wrong_shape (the rank), empty_batch (a dimension is 0), too_large (more bytes than a machine can
 * count). */
bool array_layout_measure(struct array_layout *layout, struct problem *problem);

/* Writes a shape, e.g. "(3, 4)" or "(3,)", to out (ARRAY_TEXT bytes). Returns its length. */
size_t array_shape_text(unsigned rank, const size_t *shape, char *out);

/* Writes the index of the file's value with this number, e.g. "[2, 0]", to out (ARRAY_TEXT bytes).
 */
void array_layout_place(const struct array_layout *layout, size_t number, char *out);

#endif
