/* writer.c - a comma is written before a value that follows another one, as the last byte tells.
 * Rows of numbers are written in place: there is room for the longest before its length is known.
 */
#include "server/json/writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/base/decimal.h"
#include "server/base/timestamp.h"

/* A row of numbers gets room for this many at a time. */
enum { ROW_PART = 64 };

/* A comma, unless a key, an object or an array has just begun. */
static void pay_comma(struct buffer *json)
{
    if (json->size > 0 && strchr("{[:,", json->bytes[json->size - 1]) == NULL)
        buffer_add(json, ",", 1);
}

static void append_value(struct buffer *json, const char *text, size_t size)
{
    pay_comma(json);
    buffer_add(json, text, size);
}

void json_write_object_begin(struct buffer *json)
{
    append_value(json, "{", 1);
}

void json_write_object_end(struct buffer *json)
{
    buffer_add(json, "}", 1);
}

void json_write_array_begin(struct buffer *json)
{
    append_value(json, "[", 1);
}

void json_write_array_end(struct buffer *json)
{
    buffer_add(json, "]", 1);
}

static void append_escape(struct buffer *json, unsigned char byte)
{
    static const char short_from[] = "\"\\\b\f\n\r\t", short_to[] = "\"\\bfnrt";
    char escape[8];
    const char *at = byte != 0 ? strchr(short_from, byte) : NULL;
    const int size = at != NULL ? snprintf(escape, sizeof escape, "\\%c", short_to[at - short_from])
                                : snprintf(escape, sizeof escape, "\\u%04x", byte);
    buffer_add(json, escape, (size_t)size);
}

static void append_string(struct buffer *json, const char *value)
{
    buffer_add(json, "\"", 1);
    const char *plain = value;
    for (; *value != '\0'; value++) {
        const unsigned char byte = (unsigned char)*value;
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        buffer_add(json, plain, (size_t)(value - plain));
        append_escape(json, byte);
        plain = value + 1;
    }
    buffer_add(json, plain, (size_t)(value - plain));
    buffer_add(json, "\"", 1);
}

void json_write_key(struct buffer *json, const char *key)
{
    pay_comma(json);
    append_string(json, key);
    buffer_add(json, ":", 1);
}

void json_write_string(struct buffer *json, const char *value)
{
    if (value == NULL) {
        json_write_null(json);
        return;
    }
    pay_comma(json);
    append_string(json, value);
}

void json_write_raw(struct buffer *json, const char *value)
{
    append_value(json, value, strlen(value));
}

void json_write_raw_members(struct buffer *json, const char *object)
{
    const size_t size = strlen(object);
    if (size > strlen("{}"))
        append_value(json, object + 1, size - strlen("{}"));
}

void json_write_null(struct buffer *json)
{
    json_write_raw(json, "null");
}

void json_write_boolean(struct buffer *json, bool value)
{
    json_write_raw(json, value ? "true" : "false");
}

void json_write_integer(struct buffer *json, int64_t value)
{
    char text[DECIMAL_TEXT];
    append_value(json, text, decimal_write_integer(value, text));
}

void json_write_double(struct buffer *json, double value)
{
    char text[DECIMAL_TEXT];
    if (isfinite(value))
        append_value(json, text, decimal_write_double(value, text));
    else
        json_write_null(json);
}

void json_write_member_string(struct buffer *json, const char *key, const char *value)
{
    json_write_key(json, key);
    json_write_string(json, value);
}

void json_write_member_integer(struct buffer *json, const char *key, int64_t value)
{
    json_write_key(json, key);
    json_write_integer(json, value);
}

void json_write_member_positive(struct buffer *json, const char *key, int64_t value)
{
    json_write_key(json, key);
    if (value == 0)
        json_write_null(json);
    else
        json_write_integer(json, value);
}

void json_write_member_double(struct buffer *json, const char *key, double value)
{
    json_write_key(json, key);
    json_write_double(json, value);
}

void json_write_member_timestamp(struct buffer *json, const char *key, int64_t milliseconds)
{
    json_write_key(json, key);
    json_write_string(json, milliseconds == 0 ? NULL : timestamp_text(milliseconds).text);
}

static size_t write_float(float value, char *out)
{
    if (isfinite(value))
        return decimal_write_float(value, out);
    memcpy(out, "null", 4);
    return 4;
}

void json_write_float(struct buffer *json, float value)
{
    char text[DECIMAL_TEXT];
    append_value(json, text, write_float(value, text));
}

static size_t write_spike(float time, char *out)
{
    return decimal_write_integer(llrintf(time), out);
}

static void write_row(struct buffer *json, const float *values, size_t count, bool are_spikes)
{
    pay_comma(json);
    for (size_t begin = 0; begin < count; begin += ROW_PART) {
        const size_t end = count - begin < ROW_PART ? count : begin + ROW_PART;
        if (!buffer_reserve(json, (end - begin) * (DECIMAL_TEXT + 1)))
            return;
        char *at = json->bytes + json->size;
        for (size_t i = begin; i < end; i++) {
            if (i > 0)
                *at++ = ',';
            at += are_spikes ? write_spike(values[i], at) : write_float(values[i], at);
        }
        json->size = (size_t)(at - json->bytes);
    }
}

void json_write_floats(struct buffer *json, const float *values, size_t count)
{
    write_row(json, values, count, false);
}

/* Returns the value after the last one written. */
static const float *write_nested(struct buffer *json, const float *values, const size_t *shape,
                                 unsigned rank, bool are_spikes)
{
    if (rank == 0) {
        write_row(json, values, 1, are_spikes);
        return values + 1;
    }
    json_write_array_begin(json);
    if (rank == 1)
        write_row(json, values, shape[0], are_spikes);
    for (size_t i = 0; rank > 1 && i < shape[0]; i++)
        values = write_nested(json, values, shape + 1, rank - 1, are_spikes);
    json_write_array_end(json);
    return rank == 1 ? values + shape[0] : values;
}

void json_write_float_array(struct buffer *json, const float *values, const size_t *shape,
                            unsigned rank)
{
    write_nested(json, values, shape, rank, false);
}

void json_write_spike_array(struct buffer *json, const float *values, const size_t *shape,
                            unsigned rank)
{
    write_nested(json, values, shape, rank, true);
}
