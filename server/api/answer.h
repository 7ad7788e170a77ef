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

/* Whether an answer of so many numbers is made while the client reads it, from what is smaller than
 * its text: one that is compressed never is. */
bool answer_is_in_pieces(const struct request *request, size_t numbers);

/* Answers with one array of application/x-npy, whose values it frees. */
void answer_npy(const struct request *request, struct reply *reply, enum dtype dtype, unsigned rank,
                const size_t *shape, void *take_values);
/* Only what comes before its values. */
void answer_npy_header(struct reply *reply, enum dtype dtype, unsigned rank, const size_t *shape);

/* Answers with the arrays of a prediction, and how its decisions came about; may take what it has.
 */
void answer_prediction(const struct request *request, struct model *model,
                       struct prediction *prediction, struct reply *reply);

#endif
