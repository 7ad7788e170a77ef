#include "tests/support/value_writer.h"

#include "server/json/numbers.h"

static void write_numbers(struct buffer *json, const struct numbers *numbers)
{
    double number;
    enum numbers_token token;
    struct numbers_walk walk = numbers_walk(numbers);
    while ((token = numbers_next(&walk, &number)) != NUMBERS_END) {
        if (token == NUMBERS_OPEN)
            json_write_array_begin(json);
        else if (token == NUMBERS_CLOSE)
            json_write_array_end(json);
        else
            json_write_double(json, number);
    }
}

static void write_array(struct buffer *json, struct json_value array)
{
    if (json_value_numbers(array) != NULL) {
        write_numbers(json, json_value_numbers(array));
        return;
    }
    json_write_array_begin(json);
    for (size_t i = 0; i < json_value_count(array); i++)
        value_writer_write(json, json_value_element(array, i));
    json_write_array_end(json);
}

static void write_object(struct buffer *json, struct json_value object)
{
    const char *name = NULL;
    json_write_object_begin(json);
    while ((name = json_value_next_name(object, name)) != NULL) {
        json_write_key(json, name);
        value_writer_write(json, json_value_member(object, name));
    }
    json_write_object_end(json);
}

void value_writer_write(struct buffer *json, struct json_value value)
{
    switch (json_value_kind(value)) {
    case JSON_KIND_ABSENT:
    case JSON_KIND_NULL:
        json_write_null(json);
        break;
    case JSON_KIND_BOOLEAN:
        json_write_boolean(json, json_value_boolean(value));
        break;
    case JSON_KIND_NUMBER:
        json_write_double(json, json_value_number(value));
        break;
    case JSON_KIND_STRING:
        json_write_string(json, json_value_string(value));
        break;
    case JSON_KIND_ARRAY:
        write_array(json, value);
        break;
    case JSON_KIND_OBJECT:
        write_object(json, value);
        break;
    }
}
