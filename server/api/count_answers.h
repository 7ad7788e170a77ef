/* count_answers.h - what a model that counts spikes answers to predict and evaluate. */
#ifndef SERVER_API_COUNT_ANSWERS_H
#define SERVER_API_COUNT_ANSWERS_H

#include "server/http/reply.h"
#include "server/model/model.h"

/* The first steps of both. They take the model. */
void counts_predict(struct service *service, const struct request *request,
                    struct model *take_model, struct reply *reply);
void counts_evaluate(struct service *service, const struct request *request,
                     struct model *take_model, struct reply *reply);

#endif
