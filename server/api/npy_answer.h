/* npy_answer.h - answers of application/x-npy: one array. */
#ifndef SERVER_API_NPY_ANSWER_H
#define SERVER_API_NPY_ANSWER_H

#include "server/base/dtype.h"
#include "server/http/request.h"

/* Whether the request wants its one array as application/x-npy. Where it wants nothing else, but
 * `arrays` are asked for, that is not_acceptable. */
bool npy_is_wanted(const struct request *request, unsigned arrays, struct reply *reply);

/* Answers with an array, whose values are copied. */
void npy_answer(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape,
                const void *values);

#endif
