/* value.h - one value of a document: null, boolean, number, string, array or object.
 *
 * A handle is passed by value. It borrows from its document, and so does what it gives. The handle
 * of a member or an element that is not there is "absent"; every function takes an absent one. */
#ifndef SERVER_JSON_VALUE_H
#define SERVER_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>

struct document;
struct numbers; /* see numbers.h */

struct json_value {
    const struct document *document;
    const void *node; /* private to value.c; NULL: absent */
    unsigned depth;   /* private to value.c */
};

enum json_kind {
    JSON_KIND_ABSENT,
    JSON_KIND_NULL,
    JSON_KIND_BOOLEAN,
    JSON_KIND_NUMBER,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT
};
enum json_kind json_value_kind(struct json_value value);

/* Whether it is there, and not null. */
static inline bool json_value_is_given(struct json_value value)
{
    return json_value_kind(value) > JSON_KIND_NULL;
}

bool json_value_boolean(struct json_value value);       /* false unless it is true */
double json_value_number(struct json_value value);      /* 0 if it is not a number */
const char *json_value_string(struct json_value value); /* NULL if it is not a string */
size_t json_value_size(struct json_value value);        /* bytes of a string */

/* The elements of an array. Those of an array that holds only numbers, nested or not, are in
 * json_value_numbers(); as elements they are absent. */
size_t json_value_count(struct json_value array);
struct json_value json_value_element(struct json_value array, size_t index);

/* The numbers of an array that is a member of the document's object, or of an object that is a
 * member of it, if it holds nothing else; or NULL. The document owns them, but their values may be
 * taken. */
struct numbers *json_value_numbers(struct json_value array);

/* The members of an object. json_value_next_name() goes through their names: it gives the first one
 * for NULL, and NULL after the last one. */
struct json_value json_value_member(struct json_value object, const char *name);
const char *json_value_next_name(struct json_value object, const char *name);

#endif
