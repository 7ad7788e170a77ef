/* reply.h - the only place that builds responses. */
#ifndef SERVER_HTTP_REPLY_H
#define SERVER_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "server/http/request.h"

struct MHD_Connection;

/* Compresses the reply where that is wanted and worth it: by the thread that has time for it. */
void http_reply_pack(const struct request *request, struct reply *reply);

/* Queues the reply, or its problem; takes what reply->body holds. With `close`, the connection ends
 * after it. Returns the status, and how many bytes the body has; 0 where nothing could be queued,
 * and the connection has to be dropped. */
unsigned http_reply_send(struct MHD_Connection *connection, const struct request *request,
                         struct reply *reply, bool close, size_t *body_size);

/* Writes the application/problem+json document: type, title, status, detail, instance, code,
 * errors (if fields are named) and request_id. */
void http_reply_write_problem(const struct problem *problem, const char *instance,
                              const char *request_id, struct json_writer *writer);

#endif
