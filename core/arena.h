/* arena.h - lays arrays one after the other in one block of memory, each aligned for vectors. The
 * caller places them twice: first without memory, to learn how much they need, then with it. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/simd.h"

struct arena {
    char *memory; /* free() */
    size_t bytes;
};

static inline void *arena_place(struct arena *arena, size_t count, size_t size)
{
    void *array = arena->memory == NULL ? NULL : arena->memory + arena->bytes;
    arena->bytes += simd_round_up(count * size);
    return array;
}

/* Allocates zeroed memory for what has been placed, and starts again from its beginning. */
static inline bool arena_allocate(struct arena *arena)
{
    const size_t bytes = arena->bytes > 0 ? arena->bytes : SIMD_ALIGNMENT;
    arena->memory = aligned_alloc(SIMD_ALIGNMENT, bytes);
    if (arena->memory == NULL)
        return false;
    memset(arena->memory, 0, bytes);
    arena->bytes = 0;
    return true;
}

#endif
