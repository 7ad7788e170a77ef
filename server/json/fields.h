/* fields.h - the members of one object of a document.
 *
 * Every reader adds what is wrong to a problem, by code and JSON pointer, goes on, and leaves its
 * output untouched. Asking for a field declares it: fields_close() then refuses, by name, each
 * field of the object that was not asked for. An optional field that is null is absent. */
#ifndef SERVER_JSON_FIELDS_H
#define SERVER_JSON_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/problem.h"
#include "server/json/document.h"
#include "server/json/value.h"

enum field_presence { FIELD_OPTIONAL, FIELD_REQUIRED };

enum { FIELDS_MAX = 40 };

struct fields {
    struct json_value object;      /* absent if the value is not an object */
    char pointer[PROBLEM_POINTER]; /* "" for the document itself */
    struct problem *problem;       /* borrowed */
    unsigned asked_count;
    const char *asked[FIELDS_MAX]; /* borrowed */
};

/* Starts reading an object. A value that is not an object is a wrong_type, and then every read
 * fails without a word. */
bool fields_open(struct fields *fields, struct json_value value, const char *pointer,
                 struct problem *problem);
/* The document itself. False also if it is NULL, as it could not be read. */
bool fields_open_document(struct fields *fields, const struct document *document,
                          struct problem *problem);
/* An object that is a member of another one. False also if it is absent. */
bool fields_open_member(struct fields *fields, struct fields *parent, const char *name,
                        enum field_presence presence);
/* Adds an unknown_field for each member that was not asked for. */
void fields_close(struct fields *fields);

/* The member; absent if it is absent or null (an error if it is required). */
struct json_value fields_get(struct fields *fields, const char *name, enum field_presence presence);
/* Whether the member is there and not null. Declares it. */
bool fields_is_given(struct fields *fields, const char *name);
/* Whether the member is there at all, null included. Declares it. */
bool fields_has(struct fields *fields, const char *name);
/* Writes the member's pointer, e.g. "/encoder/m", to out (PROBLEM_POINTER bytes). */
void fields_pointer(const struct fields *fields, const char *name, char *out);
/* Adds what is wrong with a member, in a printf-like detail. Returns false. */
bool fields_refuse(const struct fields *fields, const char *name, enum problem_code code,
                   const char *detail, ...) __attribute__((format(printf, 4, 5)));
/* The same of an element of a member that is an array: the one at path[depth], indices from the
 * outside inwards. */
bool fields_refuse_element(const struct fields *fields, const char *name, const size_t *path,
                           unsigned depth, enum problem_code code, const char *detail, ...)
    __attribute__((format(printf, 6, 7)));

/* Counts memory that what is read takes besides the document: see document_read(). False with the
 * problem set. */
bool fields_take_memory(const struct fields *fields, size_t bytes);

/* Each returns whether *out was set. 3.0 is an integer, 3.5 is a wrong_type. */
bool fields_integer(struct fields *fields, const char *name, enum field_presence presence,
                    int64_t min, int64_t max, int64_t *out);
/* min <= value <= max, or min < value if it must be above min. An integer is a number too. */
bool fields_number(struct fields *fields, const char *name, enum field_presence presence,
                   double min, double max, bool is_above_min, double *out);
bool fields_boolean(struct fields *fields, const char *name, enum field_presence presence,
                    bool *out);
/* out borrows from the document. A longer one is too_large. */
bool fields_string(struct fields *fields, const char *name, enum field_presence presence,
                   size_t max_bytes, const char **out);
/* choices: NULL-terminated; *out is the index of the one given. */
bool fields_choice(struct fields *fields, const char *name, enum field_presence presence,
                   const char *const *choices, unsigned *out);

#endif
