/* internal.h - what a document consists of, for the files of this folder that use jansson. */
#ifndef SERVER_JSON_INTERNAL_H
#define SERVER_JSON_INTERNAL_H

#include <jansson.h>

#include "server/base/budget.h"
#include "server/base/buffer.h"
#include "server/json/document.h"
#include "server/json/numbers.h"

struct document {
    json_t *root;
    char *own_text;        /* owned; NULL: the text is borrowed */
    struct buffer blocks;  /* struct numbers, owned */
    struct charge *memory; /* borrowed; NULL: of a text that the store has kept */
    size_t tree_bytes;     /* that the tree has taken of it */
};

/* Arrays of numbers are read into blocks if they are members of the document's object, or of an
 * object that is a member of it. In jansson's tree an array of one number stands in their place,
 * the index of the block. `depth` counts the objects around an array that is in no other. */
static inline bool document_has_blocks_at(unsigned depth)
{
    return depth == 1 || depth == 2;
}

#endif
