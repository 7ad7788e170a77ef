/* buffer.h - a block of bytes, or of items, that grows as it is filled.
 *
 * A zeroed buffer is empty. A failed allocation is remembered: what is added after it is ignored,
 * so that a caller may check once, at the end. The capacity at least doubles when it grows, so that
 * filling a buffer costs time in proportion to what is added. */
#ifndef SERVER_BASE_BUFFER_H
#define SERVER_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct buffer {
    union {
        char *bytes; /* owned, malloc'ed; NULL: nothing was added yet */
        void *items; /* the same */
    };
    size_t size;     /* bytes that are used */
    size_t capacity; /* bytes that there is room for */
    bool failed;     /* an allocation has failed: the content is not whole */
};

/* Frees the bytes; the buffer is empty then, and has not failed. */
void buffer_finish(struct buffer *buffer);

/* Makes the capacity exactly this, which must not be less than the size. False: it has failed. */
bool buffer_resize(struct buffer *buffer, size_t capacity);

/* Makes room for `more` bytes after those that are used. False: it has failed. */
bool buffer_grow(struct buffer *buffer, size_t more);
static inline bool buffer_reserve(struct buffer *buffer, size_t more)
{
    return more <= buffer->capacity - buffer->size || buffer_grow(buffer, more);
}

/* Adds bytes whose content is not set, and returns where they are until the next change; NULL: it
 * has failed. */
static inline void *buffer_extend(struct buffer *buffer, size_t size)
{
    if (!buffer_reserve(buffer, size))
        return NULL;
    void *added = buffer->bytes + buffer->size;
    buffer->size += size;
    return added;
}

/* Adds a copy of bytes. */
static inline void buffer_add(struct buffer *buffer, const void *bytes, size_t size)
{
    void *added = size > 0 ? buffer_extend(buffer, size) : NULL;
    if (added != NULL)
        memcpy(added, bytes, size);
}

/* Hands the bytes to the caller, which frees them with free(); the buffer is empty then, and has
 * not failed. NULL: it had failed, or nothing was added. */
void *buffer_take(struct buffer *buffer);

/* The same with a NUL added. NULL: it has failed. */
char *buffer_take_string(struct buffer *buffer);

#endif
