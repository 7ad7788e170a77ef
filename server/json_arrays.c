/* json_arrays.c - nested arrays of numbers become one block of floats.
 *
 * The first elements, followed inwards, say the rank and the shape; their product is held against
 * the limit before anything is allocated. Then every number is read in order, and the first
 * element that does not fit the shape ends it: its path is the pointer. */
#include "json_reader.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_RANK = 4, ALIGNMENT = 64 };

struct reading {
    const char *pointer; /* of the whole array */
    struct problem *problem;
    struct float_array array;
    size_t path[MOST_RANK]; /* the indices of the element being read */
    float *next;            /* where its value goes */
};

/* Names the element at the first `depth` indices of the path. */
static bool refuse(const struct reading *reading, unsigned depth, enum problem_code code,
                   const char *detail)
{
    char pointer[PROBLEM_POINTER], index[24];
    snprintf(pointer, sizeof pointer, "%s", reading->pointer);
    for (unsigned d = 0; d < depth; d++) {
        snprintf(index, sizeof index, "%zu", reading->path[d]);
        problem_pointer_join(pointer, index, pointer);
    }
    problem_add_field(reading->problem, code, pointer, "%s", detail);
    return false;
}

static bool find_shape(struct reading *reading, const json_t *value, unsigned min_rank,
                       unsigned max_rank)
{
    struct float_array *array = &reading->array;
    for (; json_is_array(value); value = json_array_get(value, 0)) {
        if (array->rank == max_rank)
            return refuse(reading, array->rank, PROBLEM_WRONG_TYPE, "must be a number");
        const size_t size = json_array_size(value);
        if (size == 0 && array->rank == 0)
            return refuse(reading, 0, PROBLEM_EMPTY_BATCH, "must not be empty");
        if (size == 0)
            return refuse(reading, array->rank, PROBLEM_WRONG_SHAPE, "must not be empty");
        array->shape[array->rank++] = size;
    }
    if (array->rank < min_rank)
        return refuse(reading, array->rank, PROBLEM_WRONG_TYPE, "must be an array");
    return true;
}

static bool allocate(struct reading *reading, size_t limit)
{
    struct float_array *array = &reading->array;
    array->count = 1;
    for (unsigned d = 0; d < array->rank; d++) {
        if (array->shape[d] > limit / array->count) {
            char detail[64];
            snprintf(detail, sizeof detail, "must hold at most %zu numbers", limit);
            return refuse(reading, 0, PROBLEM_TOO_LARGE, detail);
        }
        array->count *= array->shape[d];
    }
    const size_t bytes = array->count * sizeof(float);
    array->values = aligned_alloc(ALIGNMENT, (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (array->values == NULL)
        problem_set(reading->problem, PROBLEM_OUT_OF_MEMORY, "no memory to read the numbers");
    reading->next = array->values;
    return array->values != NULL;
}

static bool read_number(struct reading *reading, const json_t *value)
{
    const unsigned rank = reading->array.rank;
    if (!json_is_number(value))
        return refuse(reading, rank, PROBLEM_WRONG_TYPE, "must be a number");
    const float number = (float)json_number_value(value);
    if (!isfinite(number))
        return refuse(reading, rank, PROBLEM_NOT_FINITE, "is beyond the range of float32");
    *reading->next++ = number;
    return true;
}

static bool read_nested(struct reading *reading, const json_t *value, unsigned depth)
{
    if (depth == reading->array.rank)
        return read_number(reading, value);
    if (!json_is_array(value))
        return refuse(reading, depth, PROBLEM_WRONG_TYPE, "must be an array");
    const size_t size = reading->array.shape[depth];
    if (json_array_size(value) != size) {
        char detail[96];
        snprintf(detail, sizeof detail, "has %zu elements where the first has %zu",
                 json_array_size(value), size);
        return refuse(reading, depth, PROBLEM_RAGGED_ARRAY, detail);
    }
    for (size_t i = 0; i < size; i++) {
        reading->path[depth] = i;
        if (!read_nested(reading, json_array_get(value, i), depth + 1))
            return false;
    }
    return true;
}

bool float_array_read(const json_t *value, const char *pointer, unsigned min_rank,
                      unsigned max_rank, size_t limit, struct problem *problem,
                      struct float_array *out)
{
    assert(min_rank <= max_rank && max_rank <= MOST_RANK);
    struct reading reading = {.pointer = pointer, .problem = problem};
    if (!find_shape(&reading, value, min_rank, max_rank) || !allocate(&reading, limit))
        return false;
    if (!read_nested(&reading, value, 0)) {
        float_array_finish(&reading.array);
        return false;
    }
    *out = reading.array;
    return true;
}

void float_array_finish(struct float_array *array)
{
    if (array == NULL)
        return;
    free(array->values);
    *array = (struct float_array){0};
}
