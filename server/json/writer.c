/* writer.c - a comma is owed after each value and paid before the next one. Rows of numbers are
 * written in place: there is room for the longest before its length is known. */
#include "server/json/writer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/base/decimal.h"
#include "server/base/timestamp.h"

/* A row of numbers gets room for this many at a time. */
enum { ROW_PART = 64 };

static void append(struct json_writer *writer, const char *text, size_t size)
{
    buffer_add(writer->text, text, size);
}

static void pay_comma(struct json_writer *writer)
{
    if (writer->needs_comma)
        append(writer, ",", 1);
    writer->needs_comma = false;
}

static void append_value(struct json_writer *writer, const char *text, size_t size)
{
    pay_comma(writer);
    append(writer, text, size);
    writer->needs_comma = true;
}

static void begin(struct json_writer *writer, const char *bracket)
{
    pay_comma(writer);
    append(writer, bracket, 1);
}

static void end(struct json_writer *writer, const char *bracket)
{
    append(writer, bracket, 1);
    writer->needs_comma = true;
}

void json_write_object_begin(struct json_writer *writer)
{
    begin(writer, "{");
}

void json_write_object_end(struct json_writer *writer)
{
    end(writer, "}");
}

void json_write_array_begin(struct json_writer *writer)
{
    begin(writer, "[");
}

void json_write_array_end(struct json_writer *writer)
{
    end(writer, "]");
}

static void append_escape(struct json_writer *writer, unsigned char byte)
{
    static const char short_from[] = "\"\\\b\f\n\r\t", short_to[] = "\"\\bfnrt";
    char escape[8];
    const char *at = byte != 0 ? strchr(short_from, byte) : NULL;
    const int size = at != NULL ? snprintf(escape, sizeof escape, "\\%c", short_to[at - short_from])
                                : snprintf(escape, sizeof escape, "\\u%04x", byte);
    append(writer, escape, (size_t)size);
}

static void append_string(struct json_writer *writer, const char *value)
{
    append(writer, "\"", 1);
    const char *plain = value;
    for (; *value != '\0'; value++) {
        const unsigned char byte = (unsigned char)*value;
        if (byte >= 0x20 && byte != '"' && byte != '\\')
            continue;
        append(writer, plain, (size_t)(value - plain));
        append_escape(writer, byte);
        plain = value + 1;
    }
    append(writer, plain, (size_t)(value - plain));
    append(writer, "\"", 1);
}

void json_write_key(struct json_writer *writer, const char *key)
{
    pay_comma(writer);
    append_string(writer, key);
    append(writer, ":", 1);
}

void json_write_string(struct json_writer *writer, const char *value)
{
    if (value == NULL) {
        json_write_null(writer);
        return;
    }
    pay_comma(writer);
    append_string(writer, value);
    writer->needs_comma = true;
}

void json_write_raw(struct json_writer *writer, const char *json)
{
    append_value(writer, json, strlen(json));
}

void json_write_raw_members(struct json_writer *writer, const char *object)
{
    const size_t size = strlen(object);
    if (size > strlen("{}"))
        append_value(writer, object + 1, size - strlen("{}"));
}

void json_write_null(struct json_writer *writer)
{
    json_write_raw(writer, "null");
}

void json_write_boolean(struct json_writer *writer, bool value)
{
    json_write_raw(writer, value ? "true" : "false");
}

void json_write_integer(struct json_writer *writer, int64_t value)
{
    char text[DECIMAL_TEXT];
    append_value(writer, text, decimal_write_integer(value, text));
}

void json_write_double(struct json_writer *writer, double value)
{
    char text[DECIMAL_TEXT];
    if (isfinite(value))
        append_value(writer, text, decimal_write_double(value, text));
    else
        json_write_null(writer);
}

void json_write_member_string(struct json_writer *writer, const char *key, const char *value)
{
    json_write_key(writer, key);
    json_write_string(writer, value);
}

void json_write_member_integer(struct json_writer *writer, const char *key, int64_t value)
{
    json_write_key(writer, key);
    json_write_integer(writer, value);
}

void json_write_member_positive(struct json_writer *writer, const char *key, int64_t value)
{
    json_write_key(writer, key);
    if (value == 0)
        json_write_null(writer);
    else
        json_write_integer(writer, value);
}

void json_write_member_double(struct json_writer *writer, const char *key, double value)
{
    json_write_key(writer, key);
    json_write_double(writer, value);
}

void json_write_member_timestamp(struct json_writer *writer, const char *key, int64_t milliseconds)
{
    json_write_key(writer, key);
    json_write_string(writer, milliseconds == 0 ? NULL : timestamp_text(milliseconds).text);
}

static size_t write_float(float value, char *out)
{
    if (isfinite(value))
        return decimal_write_float(value, out);
    memcpy(out, "null", 4);
    return 4;
}

void json_write_float(struct json_writer *writer, float value)
{
    char text[DECIMAL_TEXT];
    append_value(writer, text, write_float(value, text));
}

static size_t write_spike(float time, char *out)
{
    return decimal_write_integer(llrintf(time), out);
}

static void write_row(struct json_writer *writer, const float *values, size_t count,
                      bool are_spikes)
{
    struct buffer *text = writer->text;
    pay_comma(writer);
    for (size_t begin = 0; begin < count; begin += ROW_PART) {
        const size_t end = count - begin < ROW_PART ? count : begin + ROW_PART;
        if (!buffer_reserve(text, (end - begin) * (DECIMAL_TEXT + 1)))
            return;
        char *at = text->bytes + text->size;
        for (size_t i = begin; i < end; i++) {
            if (i > 0)
                *at++ = ',';
            at += are_spikes ? write_spike(values[i], at) : write_float(values[i], at);
        }
        text->size = (size_t)(at - text->bytes);
        writer->needs_comma = true;
    }
}

/* Returns the value after the last one written. */
static const float *write_nested(struct json_writer *writer, const float *values,
                                 const size_t *shape, unsigned rank, bool are_spikes)
{
    if (rank == 0) {
        write_row(writer, values, 1, are_spikes);
        return values + 1;
    }
    json_write_array_begin(writer);
    if (rank == 1)
        write_row(writer, values, shape[0], are_spikes);
    for (size_t i = 0; rank > 1 && i < shape[0]; i++)
        values = write_nested(writer, values, shape + 1, rank - 1, are_spikes);
    json_write_array_end(writer);
    return rank == 1 ? values + shape[0] : values;
}

void json_write_float_array(struct json_writer *writer, const float *values, const size_t *shape,
                            unsigned rank)
{
    write_nested(writer, values, shape, rank, false);
}

void json_write_spike_array(struct json_writer *writer, const float *values, const size_t *shape,
                            unsigned rank)
{
    write_nested(writer, values, shape, rank, true);
}
