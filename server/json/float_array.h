/* float_array.h - an array of numbers of a document becomes the block of floats that a field asks
 * for.
 */
#ifndef SERVER_JSON_FLOAT_ARRAY_H
#define SERVER_JSON_FLOAT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/problem.h"
#include "server/json/value.h"

/* A rectangular nested array of numbers, converted to float32 (rounded to nearest). */
struct float_array {
    unsigned rank;
    size_t shape[4];
    size_t count;  /* product of the shape */
    float *values; /* owned, row-major; 64-byte aligned; free() */
};
void float_array_finish(struct float_array *array); /* takes NULL */

/* What a field may hold; see fields_float_array(). */
struct float_array_rules {
    const char *pointer; /* of the field */
    unsigned min_rank;
    unsigned max_rank;
    size_t limit; /* of its numbers */
    struct problem *problem;
};

/* Takes a value's numbers from the document if they keep the rules. False with the problem set. */
bool float_array_take(struct json_value value, const struct float_array_rules *rules,
                      struct float_array *ret_array);

#endif
