#include "core/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/simd.h"

/* The array follows it, one vector further on. */
struct arena_block {
    struct arena_block *before;
};

void *arena_reserve(struct arena *arena, size_t count, size_t size)
{
    struct arena_block *block = NULL;
    if (arena->measures) {
        arena->bytes += count * size;
        return NULL;
    }
    if (!arena->failed && count < (SIZE_MAX - 2 * SIMD_ALIGNMENT) / size)
        block = aligned_alloc(SIMD_ALIGNMENT, SIMD_ALIGNMENT + simd_round_up(count * size));
    if (block == NULL) {
        arena->failed = true;
        return NULL;
    }
    block->before = arena->last;
    arena->last = block;
    arena->bytes += count * size;
    return (char *)block + SIMD_ALIGNMENT;
}

void *arena_place(struct arena *arena, size_t count, size_t size)
{
    void *array = arena_reserve(arena, count, size);
    return array != NULL ? memset(array, 0, simd_round_up(count * size)) : NULL;
}

enum core_status arena_status(const struct arena *arena)
{
    return arena->failed ? CORE_NO_MEMORY : CORE_OK;
}

void arena_finish(struct arena *arena)
{
    while (arena->last != NULL) {
        struct arena_block *block = arena->last;
        arena->last = block->before;
        free(block);
    }
    *arena = (struct arena){0};
}
