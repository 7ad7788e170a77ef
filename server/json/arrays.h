/* arrays.h - arrays of numbers become the block of floats that a field asks for. */
#ifndef SERVER_JSON_ARRAYS_H
#define SERVER_JSON_ARRAYS_H

#include "server/json/document.h"
#include "server/json/numbers.h"

/* What a field may hold; see fields_float_array(). */
struct array_rules {
    const char *pointer; /* of the field */
    unsigned min_rank;
    unsigned max_rank;
    size_t limit; /* of its numbers */
    struct problem *problem;
};

/* Takes the block of numbers that keep the rules. False with the problem set. */
bool float_array_take(struct numbers *numbers, const struct array_rules *rules,
                      struct float_array *out);
/* Of a value that is no array of numbers: a number, or the problem with it. */
bool float_array_read(const json_t *value, const struct array_rules *rules,
                      struct float_array *out);

#endif
