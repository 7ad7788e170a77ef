/* encode_answer.h - the answer of /encode and /models/{id}/encode. */
#ifndef SERVER_API_ENCODE_ANSWER_H
#define SERVER_API_ENCODE_ANSWER_H

#include "core/encoder.h"
#include "server/http/request.h"
#include "server/json/float_array.h"

/* Encodes x [b][n] into out_spikes [b][n][m], or [b][n][k] into [b][n][k][m], with m the neurons
 * that encode one value. */
void encode_answer(const struct encoder *encoder, const struct float_array *x,
                   const struct request *request, struct reply *reply);

#endif
