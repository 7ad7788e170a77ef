/* answer.h - what an answer holds, and its form: a JSON document, or one array of
 * application/x-npy. */
#ifndef SERVER_API_ANSWER_H
#define SERVER_API_ANSWER_H

#include "server/base/dtype.h"
#include "server/compute/prediction.h"
#include "server/http/reply.h"
#include "server/json/writer.h"

/* Writes the members model and version. */
void answer_write_version(struct buffer *json, const char *model, int64_t version);

/* Writes a class by its name or, if the classes have none, its number; null for a negative one. */
void answer_write_class(struct buffer *json, const struct labels *labels, int32_t class);

/* Whether the request wants an answer of this many arrays as application/x-npy, which holds one. If
 * the request accepts nothing else and there are several, that is not_acceptable. */
bool answer_wants_npy(const struct request *request, unsigned arrays, struct reply *reply);

/* Answers with one array of application/x-npy, whose values are copied. */
void answer_npy(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape,
                const void *values);
/* Only what comes before its values. */
void answer_npy_header(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape);

/* Answers with the arrays of a prediction, and how its decisions came about. */
void answer_prediction(const struct request *request, const struct model *model,
                       const struct prediction *prediction, struct reply *reply);

#endif
