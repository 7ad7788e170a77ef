/* admit.h - what a request's target and headers decide: its route, and whether its body may come.
 */
#ifndef SERVER_HTTP_ADMIT_H
#define SERVER_HTTP_ADMIT_H

#include "server/http/internal.h"

/* Reads the request target: a path, or a URL of this service. */
void admit_target(struct exchange *exchange, const char *target);

/* Reads the headers. What is wrong is noted in the reply; if the connection can't live on,
 * exchange->close is set. Otherwise the body may come. */
void admit_headers(struct exchange *exchange, const char *method, const char *version);

/* Whether the request asks for the service's health: it may name any host, and is logged only if it
 * fails. */
bool admit_is_health(const struct exchange *exchange);

#endif
