#include "server/json/value.h"

#include <stdint.h>

#include "server/json/internal.h"

/* The depth of elements: no arrays that are in another are blocks. */
enum { DEPTH_IN_ARRAY = 3 };

struct numbers *json_value_numbers(struct json_value array)
{
    const json_t *node = array.node;
    if (!document_has_blocks_at(array.depth) || json_array_size(node) != 1)
        return NULL;
    const json_t *index = json_array_get(node, 0);
    struct numbers *blocks = array.document->blocks.items;
    return json_is_real(index) ? &blocks[(size_t)json_real_value(index)] : NULL;
}

enum json_kind json_value_kind(struct json_value value)
{
    static const enum json_kind kinds[] = {
        [JSON_OBJECT] = JSON_KIND_OBJECT, [JSON_ARRAY] = JSON_KIND_ARRAY,
        [JSON_STRING] = JSON_KIND_STRING, [JSON_INTEGER] = JSON_KIND_NUMBER,
        [JSON_REAL] = JSON_KIND_NUMBER,   [JSON_TRUE] = JSON_KIND_BOOLEAN,
        [JSON_FALSE] = JSON_KIND_BOOLEAN, [JSON_NULL] = JSON_KIND_NULL,
    };
    const json_t *node = value.node;
    return node != NULL ? kinds[json_typeof(node)] : JSON_KIND_ABSENT;
}

bool json_value_boolean(struct json_value value)
{
    return json_is_true((const json_t *)value.node);
}

double json_value_number(struct json_value value)
{
    return json_number_value(value.node);
}

const char *json_value_string(struct json_value value)
{
    return json_string_value(value.node);
}

size_t json_value_size(struct json_value value)
{
    return json_string_length(value.node);
}

size_t json_value_count(struct json_value array)
{
    const struct numbers *numbers = json_value_numbers(array);
    return numbers != NULL ? numbers->shape[0] : json_array_size(array.node);
}

struct json_value json_value_element(struct json_value array, size_t index)
{
    const bool has_elements = json_value_numbers(array) == NULL;
    return (struct json_value){
        .document = array.document,
        .node = has_elements ? json_array_get(array.node, index) : NULL,
        .depth = DEPTH_IN_ARRAY,
    };
}

struct json_value json_value_member(struct json_value object, const char *name)
{
    return (struct json_value){
        .document = object.document,
        .node = json_object_get(object.node, name),
        .depth = object.depth + 1,
    };
}

const char *json_value_next_name(struct json_value object, const char *name)
{
    json_t *node = (json_t *)(uintptr_t)object.node; /* jansson iterates over no const object */
    void *member = name == NULL ? json_object_iter(node)
                                : json_object_iter_next(node, json_object_key_to_iter(name));
    return json_object_iter_key(member);
}
