/* arena.h - the memory of a thing that consists of many arrays, which are freed together.
 *
 * An init that is given an arena places its arrays there and cannot fail by itself: the caller asks
 * for the arena's status after the last one. Until then, arrays of structs that have to be filled
 * may be NULL. */
#ifndef CORE_ARENA_H
#define CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

struct arena {
    struct arena_block *last; /* one for each array, in a list; owned */
    bool failed;              /* some array got no memory */
    bool measures;            /* arrays are only counted: each of them is NULL, and none fails */
    size_t bytes;             /* of all arrays */
};

/* A zeroed array, aligned for vectors and filled up to whole ones. NULL: no memory, now or before,
 * or the arena measures. */
void *arena_place(struct arena *arena, size_t count, size_t size);

/* The same, but its content is undefined: the part of it that is never used takes no memory. */
void *arena_reserve(struct arena *arena, size_t count, size_t size);

enum core_status arena_status(const struct arena *arena);
void arena_finish(struct arena *arena); /* does nothing on a zeroed one */

#endif
