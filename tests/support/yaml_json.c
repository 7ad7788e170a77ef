/* yaml_json.c - libyaml makes a tree of nodes, which becomes a tree of JSON here. A plain scalar is
 * null, a boolean, an integer or a real if it looks like one; a quoted or a block scalar is a
 * string. */
#include "tests/support/yaml_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static void give_up(const yaml_mark_t *mark, const char *why)
{
    fprintf(stderr, "YAML, line %zu: %s\n", mark->line + 1, why);
    exit(EXIT_FAILURE);
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words != NULL && strcmp(text, *words) != 0)
        words++;
    return *words != NULL;
}

/* An integer, or what strtod() reads except its words and hexadecimal numbers. */
static json_t *number(const char *text)
{
    char *end;
    if (*text == '\0' || strspn(text, "+-.0123456789eE") != strlen(text) ||
        strpbrk(text, "0123456789") == NULL)
        return NULL;
    const long long integer = strtoll(text, &end, 10);
    if (*end == '\0')
        return json_integer(integer);
    const double real = strtod(text, &end);
    return *end == '\0' ? json_real(real) : NULL;
}

static json_t *plain(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, trues))
        return json_true();
    if (is_one_of(text, falses))
        return json_false();
    json_t *value = number(text);
    return value != NULL ? value : json_string(text);
}

static const char *text_of(const yaml_node_t *node)
{
    return (const char *)node->data.scalar.value;
}

static json_t *convert(yaml_document_t *document, int index);

static json_t *convert_mapping(yaml_document_t *document, const yaml_node_t *node)
{
    json_t *object = json_object();
    const yaml_node_pair_t *const top = node->data.mapping.pairs.top;
    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start; pair < top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(document, pair->key);
        if (key->type != YAML_SCALAR_NODE || json_object_get(object, text_of(key)) != NULL)
            give_up(&key->start_mark, "the key is not a scalar, or is there twice");
        json_object_set_new(object, text_of(key), convert(document, pair->value));
    }
    return object;
}

static json_t *convert_sequence(yaml_document_t *document, const yaml_node_t *node)
{
    json_t *array = json_array();
    const yaml_node_item_t *const top = node->data.sequence.items.top;
    for (const yaml_node_item_t *item = node->data.sequence.items.start; item < top; item++)
        json_array_append_new(array, convert(document, *item));
    return array;
}

static json_t *convert(yaml_document_t *document, int index)
{
    const yaml_node_t *node = yaml_document_get_node(document, index);
    switch (node->type) {
    case YAML_SCALAR_NODE:
        return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? plain(text_of(node))
                                                                  : json_string(text_of(node));
    case YAML_SEQUENCE_NODE:
        return convert_sequence(document, node);
    case YAML_MAPPING_NODE:
        return convert_mapping(document, node);
    case YAML_NO_NODE:
        break;
    }
    return json_null();
}

json_t *yaml_load(const char *text, size_t size)
{
    yaml_parser_t parser;
    yaml_document_t document;
    yaml_parser_initialize(&parser);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &document))
        give_up(&parser.problem_mark, parser.problem);
    if (yaml_document_get_root_node(&document) == NULL)
        give_up(&parser.mark, "there is no document");
    json_t *value = convert(&document, 1);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return value;
}
