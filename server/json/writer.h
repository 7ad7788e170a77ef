/* writer.h - writes a JSON text into a buffer.
 *
 * Values are written in order, and the writer puts the commas between them. The buffer remembers a
 * failed allocation, so that a caller checks once, at the end. A float32 is written with the fewest
 * digits that read back as the same float32, and a double likewise (0.1, 3, 1e+20, -0.0); NaN and
 * infinity become null. */
#ifndef SERVER_JSON_WRITER_H
#define SERVER_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buffer.h"

struct json_writer {
    struct buffer *text; /* borrowed; what is written is added to it */
    bool needs_comma;
};

/* A writer that begins a text in a buffer. */
static inline struct json_writer json_writer_to(struct buffer *text)
{
    return (struct json_writer){.text = text};
}

void json_write_object_begin(struct json_writer *writer);
void json_write_object_end(struct json_writer *writer);
void json_write_array_begin(struct json_writer *writer);
void json_write_array_end(struct json_writer *writer);
void json_write_key(struct json_writer *writer, const char *key);

void json_write_null(struct json_writer *writer);
void json_write_boolean(struct json_writer *writer, bool value);
void json_write_integer(struct json_writer *writer, int64_t value);
void json_write_double(struct json_writer *writer, double value);
void json_write_float(struct json_writer *writer, float value);
void json_write_string(struct json_writer *writer, const char *value); /* valid UTF-8; NULL: null */
void json_write_raw(struct json_writer *writer, const char *json); /* one JSON value as it stands */
/* The members of an object without spaces around it, as members of the one that is being written.
 */
void json_write_raw_members(struct json_writer *writer, const char *object);

/* A member: a key and its value. */
void json_write_member_string(struct json_writer *writer, const char *key, const char *value);
void json_write_member_integer(struct json_writer *writer, const char *key, int64_t value);
void json_write_member_positive(struct json_writer *writer, const char *key,
                                int64_t value); /* null for 0 */
void json_write_member_double(struct json_writer *writer, const char *key, double value);
/* Milliseconds since 1970 UTC as an RFC 3339 string; null for 0. */
void json_write_member_timestamp(struct json_writer *writer, const char *key, int64_t milliseconds);

/* A nested array of the given shape, from `values` in row-major order, e.g. rank 2: [[..],[..]]. */
void json_write_float_array(struct json_writer *writer, const float *values, const size_t *shape,
                            unsigned rank);
/* The same for values that are integers (spike times of the grid). */
void json_write_spike_array(struct json_writer *writer, const float *values, const size_t *shape,
                            unsigned rank);

#endif
