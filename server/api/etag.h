/* etag.h - ETag and If-Match (RFC 9110, 13.1.1): a change of what a client has seen, and of nothing
 * else. */
#ifndef SERVER_API_ETAG_H
#define SERVER_API_ETAG_H

#include "server/http/reply.h"
#include "server/store/datasets.h"
#include "server/store/models.h"

/* Sets the reply's ETag by the row as the store has it. */
void etag_of_model(const struct model_record *record, struct reply *reply);
void etag_of_dataset(const struct dataset_record *record, struct reply *reply);

/* Whether the model or the dataset of the request's path is as its If-Match says, if it has one.
 * `store` is the writer, which stays borrowed until the change is done. STORE_CHANGED. */
enum store_status etag_check_model(struct store *store, const struct request *request);
enum store_status etag_check_dataset(struct store *store, const struct request *request);

#endif
