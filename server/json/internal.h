/* internal.h - what a document consists of, for the files of this folder that use jansson. */
#ifndef SERVER_JSON_INTERNAL_H
#define SERVER_JSON_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "server/base/buffer.h"
#include "server/json/document.h"
#include "server/json/numbers.h"
#include "server/json/value.h"

/* Arrays of numbers are read into blocks if they are members of the document's object, or of an
 * object that is a member of it. In jansson's tree an array of one number stands in their place,
 * the index of the block. An array that holds other things too keeps its elements: [index,
 * [elements]]. */
enum { DOCUMENT_BLOCKS_DEPTH = 2 };

struct document {
    json_t *root;
    char *own_text;       /* owned; NULL: the text is borrowed */
    struct buffer blocks; /* struct numbers, owned */
};

static inline size_t document_block_count(const struct document *document)
{
    return document->blocks.size / sizeof(struct numbers);
}

/* Takes the numbers, unless there is no memory; *ret_index is where they are then. */
bool document_add_block(struct document *document, const struct numbers *take_numbers,
                        size_t *ret_index);

/* The block of an array that begins with a number or an array, whether other things follow or not;
 * NULL: it is another value. */
struct numbers *json_value_block(struct json_value value);

#endif
