/* admit.h - what the headers of a request decide: its name, its route, and whether its body may
 * come. */
#ifndef SERVER_HTTP_ADMIT_H
#define SERVER_HTTP_ADMIT_H

#include "server/http/internal.h"

/* Reads the headers. What is wrong is noted in the reply; if the connection can't live on,
 * exchange->close is set. Otherwise the body may come. */
void admit_headers(struct exchange *exchange, const char *method, const char *version);

/* Names the request as its client does; NULL, or a name that is not an X-Request-Id: by a new one.
 */
void admit_name(struct exchange *exchange, const char *client_id);

/* The largest size of the request's body. */
size_t admit_max_bytes(const struct exchange *exchange);

/* Whether the request asks for the service's health: it may do so by any name, and that all is well
 * is not logged. */
bool admit_is_health(const struct exchange *exchange);

/* Copies what logs and problems may show: printable ASCII except quotes and backslashes; the rest
 * becomes question marks. Returns whether nothing was lost. */
bool admit_copy_plain(char *out, size_t out_size, const char *text, size_t length);

#endif
