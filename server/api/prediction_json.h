/* prediction_json.h - predictions as answers: a document of what is wanted, or one array. */
#ifndef SERVER_API_PREDICTION_JSON_H
#define SERVER_API_PREDICTION_JSON_H

#include "server/compute/prediction.h"
#include "server/http/reply.h"

void prediction_json_answer(const struct request *request, const struct model *model,
                            const struct prediction *prediction, struct reply *reply);

#endif
