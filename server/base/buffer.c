#include "server/base/buffer.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 512 };

void buffer_finish(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

/* A failed buffer has no room, so that nothing is added after the gap. */
static bool fail(struct buffer *buffer)
{
    buffer->failed = true;
    buffer->capacity = buffer->size;
    return false;
}

bool buffer_resize(struct buffer *buffer, size_t capacity)
{
    char *bytes = buffer->failed ? NULL : realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        return fail(buffer);
    buffer->bytes = bytes;
    buffer->capacity = capacity;
    return true;
}

bool buffer_grow(struct buffer *buffer, size_t more)
{
    if (more > SIZE_MAX / 2 - buffer->size)
        return fail(buffer);
    size_t capacity = 2 * buffer->capacity;
    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    if (capacity < buffer->size + more)
        capacity = buffer->size + more;
    return buffer_resize(buffer, capacity);
}

void *buffer_take(struct buffer *buffer)
{
    void *bytes = buffer->bytes;
    if (buffer->failed) {
        free(bytes);
        bytes = NULL;
    }
    *buffer = (struct buffer){0};
    return bytes;
}

char *buffer_take_string(struct buffer *buffer)
{
    buffer_add(buffer, "", 1);
    return buffer_take(buffer);
}
