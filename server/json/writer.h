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

void json_write_object_begin(struct buffer *json);
void json_write_object_end(struct buffer *json);
void json_write_array_begin(struct buffer *json);
void json_write_array_end(struct buffer *json);
void json_write_key(struct buffer *json, const char *key);

void json_write_null(struct buffer *json);
void json_write_boolean(struct buffer *json, bool value);
void json_write_integer(struct buffer *json, int64_t value);
void json_write_double(struct buffer *json, double value);
void json_write_float(struct buffer *json, float value);
void json_write_string(struct buffer *json, const char *value); /* valid UTF-8; NULL: null */
void json_write_raw(struct buffer *json, const char *value);    /* one JSON value as it stands */
/* The members of an object without spaces around it, as members of the one that is being written.
 */
void json_write_raw_members(struct buffer *json, const char *object);

/* A member: a key and its value. */
void json_write_member_string(struct buffer *json, const char *key, const char *value);
void json_write_member_integer(struct buffer *json, const char *key, int64_t value);
void json_write_member_positive(struct buffer *json, const char *key,
                                int64_t value); /* null for 0 */
void json_write_member_double(struct buffer *json, const char *key, double value);
/* Milliseconds since 1970 UTC as an RFC 3339 string; null for 0. */
void json_write_member_timestamp(struct buffer *json, const char *key, int64_t milliseconds);

/* Numbers one after the other, of an array that has begun. */
void json_write_floats(struct buffer *json, const float *values, size_t count);
/* A nested array of the given shape, from `values` in row-major order, e.g. rank 2: [[..],[..]]. */
void json_write_float_array(struct buffer *json, const float *values, const size_t *shape,
                            unsigned rank);
/* The same for values that are integers (spike times of the grid). */
void json_write_spike_array(struct buffer *json, const float *values, const size_t *shape,
                            unsigned rank);

#endif
