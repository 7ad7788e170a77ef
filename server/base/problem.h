/* problem.h - what is wrong with a request, as RFC 9457 problem details.
 *
 * A problem has one code, which decides the HTTP status, and may name several wrong fields, each by
 * its JSON pointer (RFC 6901) or, in the query string, by the name of its parameter. The code of
 * the first field is the code of the whole. A problem owns no memory: naming an error can't fail.
 */
#ifndef SERVER_BASE_PROBLEM_H
#define SERVER_BASE_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

enum problem_code {
    PROBLEM_NONE = 0,
    /* 400: the request can't be read */
    PROBLEM_INVALID_JSON,
    PROBLEM_TRUNCATED_JSON,
    PROBLEM_INVALID_UTF8,
    PROBLEM_DUPLICATE_KEY,
    PROBLEM_NUMBER_OUT_OF_RANGE, /* a number beyond a double */
    PROBLEM_NESTING_TOO_DEEP,
    PROBLEM_MALFORMED_REQUEST, /* headers or a path that no honest client sends */
    /* 401, 403 */
    PROBLEM_UNAUTHORIZED, /* no API key, or one that is not known */
    PROBLEM_FORBIDDEN,    /* the role of the key is not enough */
    PROBLEM_FOREIGN_ORIGIN,
    PROBLEM_FOREIGN_HOST,
    /* 404 */
    PROBLEM_NOT_FOUND, /* no such path */
    PROBLEM_MODEL_NOT_FOUND,
    PROBLEM_VERSION_NOT_FOUND,
    PROBLEM_RUN_NOT_FOUND,
    PROBLEM_DATASET_NOT_FOUND,
    /* 405, 406, 413, 415 */
    PROBLEM_METHOD_NOT_ALLOWED,
    PROBLEM_NOT_ACCEPTABLE,
    PROBLEM_PRECONDITION_FAILED, /* of If-Match */
    PROBLEM_BODY_TOO_LARGE,
    PROBLEM_UNSUPPORTED_MEDIA_TYPE,
    PROBLEM_UNSUPPORTED_FORMAT, /* a file that is neither IDX nor .npy, or whose type is not
                                   accepted */
    /* 409 */
    PROBLEM_ID_TAKEN,
    PROBLEM_RUN_ENDED,
    PROBLEM_RUN_NOT_RESUMABLE,  /* it has not ended, or nothing is left to go on from */
    PROBLEM_MODEL_IN_USE,       /* a run of the model is queued or running */
    PROBLEM_DATASET_IN_USE,     /* a run that trains on it is queued or running */
    PROBLEM_ENCODER_NOT_FITTED, /* no training data has set its ranges yet */
    /* 422: well-formed, but a field is wrong */
    PROBLEM_MISSING_FIELD,
    PROBLEM_UNKNOWN_FIELD,
    PROBLEM_WRONG_TYPE,
    PROBLEM_OUT_OF_RANGE,  /* a number outside of its documented range */
    PROBLEM_UNKNOWN_VALUE, /* a word that is not one of the choices */
    PROBLEM_RAGGED_ARRAY,
    PROBLEM_WRONG_SHAPE,
    PROBLEM_EMPTY_BATCH,
    PROBLEM_NOT_FINITE, /* a number beyond float32 */
    PROBLEM_LABEL_OUT_OF_RANGE,
    PROBLEM_UNKNOWN_LABEL,
    PROBLEM_DUPLICATE_LABEL, /* two classes of the same name */
    PROBLEM_EQUAL_TIME_CONSTANTS,
    PROBLEM_EMPTY_RANGE, /* x_min >= x_max */
    PROBLEM_TOO_LARGE,   /* a size, or a product of sizes, beyond its limit */
    PROBLEM_CONFLICTING_FIELDS,
    PROBLEM_UNKNOWN_VERSION,
    PROBLEM_KEY_REUSED,        /* an Idempotency-Key with another request */
    PROBLEM_UNKNOWN_PARAMETER, /* of the query string */
    PROBLEM_INVALID_PARAMETER,
    PROBLEM_MALFORMED_DATA, /* a file that breaks the rules of its format */
    PROBLEM_TRUNCATED_DATA, /* a file that ends before what its header promises */
    /* 429 */
    PROBLEM_RATE_LIMITED, /* the key has used up its requests of this second */
    /* 500, 503, 507 */
    PROBLEM_INTERNAL,
    PROBLEM_DAMAGED_DATA, /* what the database has of it can't be believed */
    PROBLEM_OUT_OF_MEMORY,
    PROBLEM_QUEUE_FULL,
    PROBLEM_OVERLOADED, /* too many bytes of bodies in progress */
    PROBLEM_SHUTTING_DOWN,
    PROBLEM_STORE_UNAVAILABLE,
    PROBLEM_STORE_FULL,
};

/* How many fields are kept, and the bytes of a pointer and of a detail, with the final NUL. */
enum { PROBLEM_FIELDS = 16, PROBLEM_POINTER = 160, PROBLEM_DETAIL = 240 };

struct problem_field {
    enum problem_code code;
    bool parameter; /* pointer is a query parameter's name */
    char pointer[PROBLEM_POINTER];
    char detail[PROBLEM_DETAIL];
};

struct problem {
    enum problem_code code; /* PROBLEM_NONE: nothing is wrong */
    char detail[PROBLEM_DETAIL];
    unsigned field_count; /* of all wrong fields; the first PROBLEM_FIELDS are kept */
    struct problem_field fields[PROBLEM_FIELDS];
};

/* Sets the code and the detail, as printf does, unless a problem is set already. Returns false, for
 * a caller that fails with it. */
bool problem_set(struct problem *problem, enum problem_code code, const char *detail, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a wrong field; `pointer` is copied, and cut if it is too long. Returns false likewise. */
bool problem_add_field(struct problem *problem, enum problem_code code, const char *pointer,
                       const char *detail, ...) __attribute__((format(printf, 4, 5)));

/* Adds a wrong query parameter. Returns false likewise. */
bool problem_add_parameter(struct problem *problem, enum problem_code code, const char *name,
                           const char *detail, ...) __attribute__((format(printf, 4, 5)));

/* Writes the pointer of a member, or of an element by its index, to out (PROBLEM_POINTER bytes; may
 * be `pointer` itself): "/encoder" and "a/b" give "/encoder/a~1b". It is cut if it is too long. */
void problem_pointer_join(const char *pointer, const char *name, char *out);

/* Writes the pointer of an element, e.g. "/x/3", likewise. */
void problem_pointer_index(const char *pointer, size_t index, char *out);

/* An allocation has failed. Returns false likewise. */
bool problem_set_no_memory(struct problem *problem);

static inline bool problem_is_set(const struct problem *problem)
{
    return problem->code != PROBLEM_NONE;
}

/* The HTTP status of a code, e.g. 422, and its stable name, e.g. "label_out_of_range". */
unsigned problem_status(enum problem_code code);
const char *problem_name(enum problem_code code);

#endif
