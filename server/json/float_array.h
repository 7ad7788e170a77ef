/* float_array.h - an array of numbers that is a member of an object becomes a block of floats. */
#ifndef SERVER_JSON_FLOAT_ARRAY_H
#define SERVER_JSON_FLOAT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "server/json/fields.h"

/* A rectangular nested array of numbers, converted to float32 (rounded to nearest). */
struct float_array {
    unsigned rank;
    size_t shape[4];
    size_t count;  /* product of the shape */
    float *values; /* owned, row-major; free() */
};
void float_array_finish(struct float_array *array); /* takes NULL */

/* Takes a nested array whose depth lies in [min_rank, max_rank] (max 4) from the document, as the
 * readers of fields.h do. Wrong types, ragged rows, and numbers beyond float32 are errors at the
 * pointer of the first culprit; an empty outer array is an empty_batch, an empty inner one a
 * wrong_shape; more than `limit` numbers are too_large. Rank 0 is a number. Absent and optional:
 * returns false, adds nothing. */
bool float_array_read(struct fields *fields, const char *name, enum field_presence presence,
                      unsigned min_rank, unsigned max_rank, size_t limit,
                      struct float_array *ret_array);

#endif
