/* answer.h - what an answer holds, and its form: a JSON document, or one array of
 * application/x-npy. */
#ifndef SERVER_API_ANSWER_H
#define SERVER_API_ANSWER_H

#include "server/base/dtype.h"
#include "server/http/reply.h"
#include "server/json/fields.h"

/* Reads the member ret_type, one of `names` (ended by NULL) or a list of them, and sets wanted[] of
 * those that are named. False: it is not given. */
bool answer_read_ret_type(struct fields *fields, const char *const *names, bool *wanted);

/* Whether the request wants an answer of this many arrays as application/x-npy, which holds one. If
 * the request accepts nothing else and there are several, that is not_acceptable. */
bool answer_wants_npy(const struct request *request, unsigned arrays, struct reply *reply);

/* Answers with one array of application/x-npy, whose values are copied. */
void answer_npy(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape,
                const void *values);

#endif
