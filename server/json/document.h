/* document.h - reads the body of a request: a JSON document, its fields, its arrays of numbers.
 *
 * The arrays of numbers of a document, or of an object that is a member of it, are blocks of floats
 * from the beginning; jansson has the rest.
 *
 * Every reader adds what is wrong to a problem, by code and JSON pointer, goes on, and leaves
 * its output untouched. Asking for a field declares it: fields_close() then refuses, by name,
 * each field of the object that nobody asked for. An optional field that is null is absent.
 * json_document.c, json_fields.c and json_arrays.c implement it. */
#ifndef SERVER_JSON_DOCUMENT_H
#define SERVER_JSON_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "server/base/problem.h"

struct document;
struct numbers; /* see json_numbers.h */

/* Reads a whole body, which has to stay where it is as long as the document. NULL with the problem
 * set (invalid_json, truncated_json, invalid_utf8, duplicate_key, number_out_of_range,
 * nesting_too_deep, body_too_large, out_of_memory; the detail says line and column) where it is no
 * JSON document. */
struct document *document_read(const char *text, size_t size, struct problem *problem);
/* Reads a text, which it takes: free() frees it with the document, or at once. */
struct document *document_read_own(char *take_text, struct problem *problem);
void document_destroy(struct document *document); /* takes NULL */

/* Adds a member to the object that the document is. Takes the numbers, unless it fails. */
bool document_put(struct document *document, const char *name, struct numbers *take_numbers,
                  struct problem *problem);

const json_t *document_root(const struct document *document);

/* What stands for a member in jansson's tree: the numbers of an array that begins with a number or
 * an array, or NULL; and where such an array holds other things too, its own elements. */
struct numbers *document_numbers(const struct document *document, const json_t *value);
const json_t *document_value(const json_t *value);

enum field_presence { FIELD_OPTIONAL, FIELD_REQUIRED };

enum { FIELDS_MOST = 40 };

struct fields {
    const struct document *document; /* borrowed */
    const json_t *object;            /* borrowed; NULL where the value was no object */
    const char *pointer;             /* borrowed; "" for the document itself */
    struct problem *problem;
    unsigned asked_count;
    const char *asked[FIELDS_MOST];
};

/* Starts reading an object of the document. A value that is no object is a wrong_type, and then
 * every read fails silently. */
bool fields_open(struct fields *fields, const struct document *document, const json_t *value,
                 const char *pointer, struct problem *problem);
/* The document itself. */
bool fields_open_document(struct fields *fields, const struct document *document,
                          struct problem *problem);
/* Adds an unknown_field for each member nobody asked for. */
void fields_close(struct fields *fields);

/* The member, or NULL where it is absent or null (an error where it is required). */
const json_t *fields_get(struct fields *fields, const char *name, enum field_presence presence);
/* Whether the member is there at all, null included. Declares it. */
bool fields_has(struct fields *fields, const char *name);
/* Writes the member's pointer, e.g. "/encoder/m", to out (PROBLEM_POINTER bytes). */
void fields_pointer(const struct fields *fields, const char *name, char *out);

/* Each returns whether *out was set. 3.0 is an integer, 3.5 is a wrong_type. */
bool fields_integer(struct fields *fields, const char *name, enum field_presence presence,
                    int64_t min, int64_t max, int64_t *out);
/* min <= value <= max (an integer is a number too). */
bool fields_number(struct fields *fields, const char *name, enum field_presence presence,
                   double min, double max, double *out);
/* min < value <= max: for quantities that must be positive. */
bool fields_number_above(struct fields *fields, const char *name, enum field_presence presence,
                         double min, double max, double *out);
bool fields_boolean(struct fields *fields, const char *name, enum field_presence presence,
                    bool *out);
/* out borrows from the document. A longer one is too_large. */
bool fields_string(struct fields *fields, const char *name, enum field_presence presence,
                   size_t max_bytes, const char **out);
/* choices: NULL-terminated; *out is the index of the one given. */
bool fields_choice(struct fields *fields, const char *name, enum field_presence presence,
                   const char *const *choices, unsigned *out);

/* The numbers of a member, if it is an array of numbers, nested or not, and nothing else. */
const struct numbers *fields_numbers(struct fields *fields, const char *name);

/* A rectangular nested array of numbers, converted to float32 (rounded to nearest). */
struct float_array {
    unsigned rank;
    size_t shape[4];
    size_t count;  /* product of the shape */
    float *values; /* owned, row-major; 64-byte aligned; free() */
};

/* Takes a nested array whose depth lies in [min_rank, max_rank] (max 4) from the document. Wrong
 * types, ragged rows, and numbers beyond float32 are errors at the pointer of the first culprit; an
 * empty outer array is an empty_batch, an empty inner one a wrong_shape; more than `limit` numbers
 * are too_large. Rank 0 is a number. Absent and optional: returns false, adds nothing. */
bool fields_float_array(struct fields *fields, const char *name, enum field_presence presence,
                        unsigned min_rank, unsigned max_rank, size_t limit,
                        struct float_array *out);
void float_array_finish(struct float_array *array);

#endif
