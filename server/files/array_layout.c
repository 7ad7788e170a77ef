#include "server/files/array_layout.h"

#include <stdint.h>
#include <stdio.h>

static size_t write_list(const char *begin, unsigned rank, const size_t *items, const char *end,
                         char *out)
{
    size_t size = 0;
    for (unsigned d = 0; d < rank; d++)
        size += (size_t)snprintf(out + size, ARRAY_TEXT - size, "%s%zu", d > 0 ? ", " : begin,
                                 items[d]);
    return size + (size_t)snprintf(out + size, ARRAY_TEXT - size, "%s", end);
}

size_t array_shape_text(unsigned rank, const size_t *shape, char *out)
{
    return write_list("(", rank, shape, rank == 1 ? ",)" : ")", out);
}

void array_layout_place(const struct array_layout *layout, size_t number, char *out)
{
    size_t index[ARRAY_RANK];
    for (unsigned d = layout->rank; d-- > 0; number /= layout->shape[d])
        index[d] = number % layout->shape[d];
    write_list("[", layout->rank, index, "]", out);
}

static bool check_dimensions(const struct array_layout *layout, struct problem *problem)
{
    char text[ARRAY_TEXT];
    if (layout->rank == 0 || layout->rank > ARRAY_RANK)
        return problem_set(problem, PROBLEM_WRONG_SHAPE,
                           "The array has %u dimensions; it must have 1 to %d.", layout->rank,
                           ARRAY_RANK);
    for (unsigned d = 0; d < layout->rank; d++) {
        if (layout->shape[d] > 0)
            continue;
        array_shape_text(layout->rank, layout->shape, text);
        return problem_set(problem, PROBLEM_EMPTY_BATCH,
                           "An array of the shape %s holds no values.", text);
    }
    return true;
}

bool array_layout_measure(struct array_layout *layout, struct problem *problem)
{
    if (!check_dimensions(layout, problem))
        return false;
    size_t bytes = dtype_size(layout->dtype);
    for (unsigned d = 0; d < layout->rank; d++) {
        if (layout->shape[d] > PTRDIFF_MAX / bytes) {
            char text[ARRAY_TEXT];
            array_shape_text(layout->rank, layout->shape, text);
            return problem_set(problem, PROBLEM_TOO_LARGE,
                               "An array of the shape %s is larger than any memory.", text);
        }
        bytes *= layout->shape[d];
    }
    layout->bytes = bytes;
    layout->count = layout->shape[0];
    layout->features = bytes / dtype_size(layout->dtype) / layout->count;
    return true;
}
