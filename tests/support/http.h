/* http.h - asks a server over HTTP. */
#ifndef TESTS_SUPPORT_HTTP_H
#define TESTS_SUPPORT_HTTP_H

#include <stddef.h>

#include <jansson.h>

#include "tests/support/files.h"
#include "tests/support/service.h"

struct http_answer {
    long status;     /* 0: none came, and the body says why */
    json_t *headers; /* an object: the names in lower case, the values strings */
    char *body;      /* terminated */
    size_t size;
    json_t *json; /* the body; NULL: it is no JSON */
};

void http_answer_finish(struct http_answer *answer);

/* Sends a request. The body is text, or NULL for none; then come headers ("Prefer: wait=5"), ended
 * by NULL. Threads may call it at the same time. */
struct http_answer http_send(const struct service *service, const char *method, const char *path,
                             const char *body, ...) __attribute__((sentinel));
/* Likewise with a body of any bytes. */
struct http_answer http_send_bytes(const struct service *service, const char *method,
                                   const char *path, const struct bytes *body, ...)
    __attribute__((sentinel));

/* The value of a header, or NULL. `name` is in lower case. */
const char *http_header(const struct http_answer *answer, const char *name);

/* Asserts that the answer to a request for a path has a Location which leads to `target`, also if a
 * proxy serves both below a prefix. */
void http_expect_location(const struct http_answer *answer, const char *path, const char *target);

/* Sends JSON (which it takes; NULL: no body), asserts the status, returns the answer's JSON (NULL
 * if it has none); json_decref(). */
json_t *http_call(const struct service *service, long status, const char *method, const char *path,
                  json_t *body);

/* Likewise, answered 200. */
json_t *http_get(const struct service *service, const char *path);
json_t *http_post(const struct service *service, const char *path, json_t *body);

/* Asks until /health/ready answers this status. */
void http_await_readiness(const struct service *service, long status);

/* Opens a connection, for bytes that no client library would send. */
int http_connect(const struct service *service);

/* Sends bytes as they are over a connection of its own, and reads until the server closes it:
 * either for what they are, or since they say Connection: close. *ret_answer is the first answer;
 * its body holds whatever else came. */
void http_exchange_bytes(const struct service *service, const char *bytes, size_t size,
                         struct http_answer *ret_answer);

#endif
