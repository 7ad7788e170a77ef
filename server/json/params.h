/* params.h - parameters in a table: each row says what a member of a struct is called in JSON,
 * which values it takes, and what it applies to. The same table reads the members, writes them, and
 * is compared with the contract by a test. */
#ifndef SERVER_JSON_PARAMS_H
#define SERVER_JSON_PARAMS_H

#include <stdbool.h>
#include <stddef.h>

#include "server/json/fields.h"
#include "server/json/writer.h"

enum params_kind {
    PARAMS_SIZE,    /* size_t */
    PARAMS_UINT32,  /* uint32_t */
    PARAMS_NUMBER,  /* double */
    PARAMS_FLOAT,   /* float */
    PARAMS_CHOICE,  /* an enum: the index of the choice */
    PARAMS_BOOLEAN, /* bool */
    PARAMS_OTHER    /* has functions of its own */
};

/* What some parameters apply to, e.g. "the loss margin": while a member lies in min .. max. */
struct params_scope {
    const char *name;
    enum params_kind kind;
    size_t offset;
    double min, max;
    const struct params_scope *within; /* a wider one; NULL: none */
    bool is_of_context;                /* the member is one of the caller's context */
};
#define PARAMS_CHOSEN(place, choice)                                                               \
    .kind = PARAMS_CHOICE, .offset = (place), .min = (choice), .max = (choice)

struct params_row {
    const char *name;
    enum params_kind kind;
    size_t offset;       /* of the member */
    double min, max;     /* of SIZE, UINT32, NUMBER and FLOAT */
    bool is_above_min;   /* min itself is not allowed */
    bool is_required;    /* unless the member is not 0 before it is read */
    bool is_terse;       /* not written if it has the default */
    bool allows_default; /* even out of scope */

    /* What an absent field means, unless the member is not 0 before it is read; NAN: nothing. */
    double fallback;
    const char *const *choices;       /* of CHOICE; NULL-terminated */
    const struct params_scope *scope; /* NULL: everything */

    /* For OTHER, in scope: `read` is called even if the field is absent. `write` writes the member,
     * or nothing. */
    void (*read)(struct fields *fields, const struct params_row *row, void *params);
    void (*write)(struct buffer *json, const void *params);
};

/* Reads the rows' fields of an open object into the struct. A field that is given out of its scope
 * is a conflicting_fields; members out of scope stay as they are. Adds what is wrong to the
 * problem. */
void params_read(struct fields *fields, const struct params_row *rows, size_t count,
                 const void *context, void *params);

/* Writes those rows that are in scope as members of the object that is being written. */
void params_write(struct buffer *json, const struct params_row *rows, size_t count,
                  const void *context, const void *params);

#endif
