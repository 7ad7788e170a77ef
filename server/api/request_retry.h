/* request_retry.h - POSTs with an Idempotency-Key, which a client may send again. */
#ifndef SERVER_API_REQUEST_RETRY_H
#define SERVER_API_REQUEST_RETRY_H

#include <stdbool.h>

#include "server/http/request.h"
#include "server/store/retries.h"

struct problem;

/* Whether the request was made before with the same key; retry->made says what it made. False also
 * with the problem set: the key came with another request, or the store can't be read. */
bool request_retry_is_repeated(struct service *service, const struct request *request,
                               struct problem *problem, struct retry *retry);

#endif
