#include "server/json/value.h"

#include <stdint.h>

#include "server/json/internal.h"

/* The elements of an array that has a block come after its index, unless all are numbers. */
static const json_t *node_of(struct json_value value)
{
    const json_t *node = value.node;
    return json_value_block(value) != NULL && json_array_size(node) > 1 ? json_array_get(node, 1)
                                                                        : node;
}

struct numbers *json_value_block(struct json_value value)
{
    const json_t *node = value.node;
    const bool may_be_block = value.depth >= 1 && value.depth <= DOCUMENT_BLOCKS_DEPTH;
    const json_t *index = may_be_block ? json_array_get(node, 0) : NULL;
    struct numbers *blocks = value.document->blocks.items;
    return json_is_real(index) ? &blocks[(size_t)json_real_value(index)] : NULL;
}

const struct numbers *json_value_numbers(struct json_value array)
{
    return json_array_size(array.node) == 1 ? json_value_block(array) : NULL;
}

enum json_kind json_value_kind(struct json_value value)
{
    const json_t *node = value.node;
    if (node == NULL)
        return JSON_KIND_ABSENT;
    switch (json_typeof(node)) {
    case JSON_OBJECT:
        return JSON_KIND_OBJECT;
    case JSON_ARRAY:
        return JSON_KIND_ARRAY;
    case JSON_STRING:
        return JSON_KIND_STRING;
    case JSON_INTEGER:
    case JSON_REAL:
        return JSON_KIND_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE:
        return JSON_KIND_BOOLEAN;
    case JSON_NULL:
        return JSON_KIND_NULL;
    }
    return JSON_KIND_ABSENT;
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
    return numbers != NULL ? numbers->shape[0] : json_array_size(node_of(array));
}

struct json_value json_value_element(struct json_value array, size_t index)
{
    const bool has_elements = json_value_numbers(array) == NULL;
    return (struct json_value){
        .document = array.document,
        .node = has_elements ? json_array_get(node_of(array), index) : NULL,
        .depth = DOCUMENT_BLOCKS_DEPTH + 1, /* blocks are not looked for in elements */
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
