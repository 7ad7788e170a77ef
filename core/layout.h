/* layout.h - lays arrays one behind the other in one block, each aligned for vectors: first without
 * memory, to learn how much is wanted, then again with it. */
#ifndef CORE_LAYOUT_H
#define CORE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "simd.h"

struct layout {
    char *memory; /* free() */
    size_t bytes;
};

static inline void *layout_place(struct layout *layout, size_t count, size_t size)
{
    void *array = layout->memory == NULL ? NULL : layout->memory + layout->bytes;
    layout->bytes += simd_round_up(count * size);
    return array;
}

/* Zeroed memory for what has been placed, from the begin again. */
static inline bool layout_allocate(struct layout *layout)
{
    const size_t bytes = layout->bytes > 0 ? layout->bytes : SIMD_ALIGNMENT;
    layout->memory = aligned_alloc(SIMD_ALIGNMENT, bytes);
    if (layout->memory == NULL)
        return false;
    memset(layout->memory, 0, bytes);
    layout->bytes = 0;
    return true;
}

#endif
