/* document.h - reads a JSON text, such as the body of a request, into a tree of values.
 *
 * An array of numbers that is a member of the document's object, or of an object that is a member
 * of it, becomes one block of floats as it is read (numbers.h): it is most of what clients send,
 * and a tree of it would take up to 80 times its memory. What is left has limits of its own,
 * LIMIT_DOCUMENT and LIMIT_TREE.
 *
 * A key that is given twice is refused. A NUL is refused too, also as \u0000 in a string: every
 * string of a document is a C string. */
#ifndef SERVER_JSON_DOCUMENT_H
#define SERVER_JSON_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/problem.h"
#include "server/json/value.h"

struct charge; /* see budget.h */
struct document;
struct numbers; /* see numbers.h */

/* Reads a whole body, which must stay in place as long as the document. What that takes is counted
 * in `memory`: the tree until the document is destroyed, the blocks, which others may take, until
 * the charge is finished. NULL with the problem set if it is not a JSON document (invalid_json,
 * truncated_json, invalid_utf8, duplicate_key, number_out_of_range, nesting_too_deep,
 * body_too_large, out_of_memory, overloaded): the detail says line and column, which are those of
 * the whole text. */
struct document *document_read(const char *text, size_t size, struct charge *memory,
                               struct problem *problem);
/* Reads a text, which it takes: free() frees it with the document, or at once. */
struct document *document_read_own(char *take_text, struct charge *memory, struct problem *problem);
/* Reads a text that the store has kept: its size has no limit. */
struct document *document_read_stored(const char *text, struct problem *problem);
void document_destroy(struct document *document); /* takes NULL */

/* Whether a text is one JSON value. */
bool document_matches(const char *text);

/* Adds a member to the object that the document is. Takes the numbers, unless it fails. */
bool document_put(struct document *document, const char *name, struct numbers *take_numbers,
                  struct problem *problem);

struct json_value document_root(const struct document *document);
/* What reading it is counted in, borrowed; or NULL. */
struct charge *document_memory(const struct document *document);

#endif
