/* request_model.h - the model that a request's path names. */
#ifndef SERVER_API_REQUEST_MODEL_H
#define SERVER_API_REQUEST_MODEL_H

#include "server/http/request.h"
#include "server/model/model.h"

/* In the version that the path names, or else in the one served. NULL with the problem set; release
 * it with model_release(). */
struct model *request_model(struct service *service, const struct request *request,
                            struct problem *problem);

#endif
