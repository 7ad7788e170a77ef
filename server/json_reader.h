/* json_reader.h - reads the body of a request: a JSON document, its fields, its number arrays.
 *
 * Every reader adds what is wrong to a problem, by code and JSON pointer, goes on, and leaves
 * its output untouched. Asking for a field declares it: fields_close() then refuses, by name,
 * each field of the object that nobody asked for. An optional field that is null is absent.
 * json_document.c, json_fields.c and json_arrays.c implement it. */
#ifndef SERVER_JSON_READER_H
#define SERVER_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "problem.h"

/* Parses a whole body. NULL with the problem set (invalid_json, truncated_json, invalid_utf8,
 * duplicate_key, number_out_of_range, nesting_too_deep, out_of_memory; the detail says line and
 * column) where it is no JSON document. Owned by the caller. */
json_t *json_document_parse(const char *text, size_t size, struct problem *problem);

enum field_presence { FIELD_OPTIONAL, FIELD_REQUIRED };

enum { FIELDS_MOST = 40 };

struct fields {
    const json_t *object; /* borrowed; NULL where the value was no object */
    const char *pointer;  /* borrowed; "" for the document itself */
    struct problem *problem;
    unsigned asked_count;
    const char *asked[FIELDS_MOST];
};

/* Starts reading an object. A value that is no object is a wrong_type, and then every read fails
 * silently. */
bool fields_open(struct fields *fields, const json_t *value, const char *pointer,
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

/* A rectangular nested array of numbers, converted to float32 (rounded to nearest). */
struct float_array {
    unsigned rank;
    size_t shape[4];
    size_t count;  /* product of the shape */
    float *values; /* owned, row-major; 64-byte aligned; free() */
};

/* Reads a nested array whose depth lies in [min_rank, max_rank] (max 4). Wrong types, ragged rows,
 * and numbers beyond float32 are errors at the pointer of the first culprit; an empty outer array
 * is an empty_batch, an empty inner one a wrong_shape; more than `limit` numbers are too_large, and
 * refused before anything is allocated. Rank 0 is a number. */
bool float_array_read(const json_t *value, const char *pointer, unsigned min_rank,
                      unsigned max_rank, size_t limit, struct problem *problem,
                      struct float_array *out);
/* The same for a member. Absent and optional: returns false, adds nothing. */
bool fields_float_array(struct fields *fields, const char *name, enum field_presence presence,
                        unsigned min_rank, unsigned max_rank, size_t limit,
                        struct float_array *out);
void float_array_finish(struct float_array *array);

#endif
