/* headers.h - checks what the parser of libmicrohttpd lets through, and which clients may ask.
 *
 * The parser accepts a Content-Length beside a Transfer-Encoding, several of each, and blanks
 * before the colon. Two programs may see different requests in such bytes: they are refused here,
 * and the connection is closed. Every page that a user's browser opens can reach a service on the
 * loopback, where it usually needs no key: web pages of other origins are refused, and so are
 * names that a foreign DNS server may have bound to 127.0.0.1. */
#ifndef SERVER_HTTP_HEADERS_H
#define SERVER_HTTP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/base/problem.h"

struct MHD_Connection;

struct headers {
    const char *host; /* NULL: HTTP/1.0 without one; all are borrowed from the connection */
    const char *origin;
    const char *fetch_site;
    const char *authorization;
    const char *content_type;
    const char *accept;
    const char *accept_encoding;
    const char *request_id;
    const char *idempotency_key;
    const char *if_match;
    bool expects_continue;
    enum { CODING_NONE, CODING_GZIP, CODING_UNKNOWN } coding; /* Content-Encoding */
    uint64_t length;       /* of the body; 0 if it is chunked or there is none */
    unsigned wait_seconds; /* Prefer: wait=N; 0: none */
};

/* The value of a Cookie of our own, which stands before the client's headers: headers_read() passes
 * over it. See malformed.h. */
extern const char headers_no_cookies[];

/* Reads a Content-Length, cut to UINT64_MAX; false if it is not a whole number. */
bool headers_read_length(const char *text, uint64_t *ret_length);

/* Reads the headers; false with malformed_request set. method and version are the library's own. */
bool headers_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct headers *headers, struct problem *problem);

/* Sets foreign_host or foreign_origin. `hosts` lists the names that a Host may have, with commas or
 * blanks between them: "localhost" stands for all names of the loopback, "*" for any name. */
bool headers_may_ask(const struct headers *headers, const char *hosts, struct problem *problem);

/* Whether a text is such a list; if not, error[error_size] says why. */
bool headers_check_hosts(const char *hosts, char *error, size_t error_size);

/* Whether the value of a Content-Type, or NULL, is this media type, whatever its parameters. */
bool headers_media_is(const char *type, const char *media);
/* Whether the value of an Accept or Accept-Encoding lists this name, and not with q=0. */
bool headers_list_names(const char *list, const char *name);

#endif
