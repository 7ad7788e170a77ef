/* headers.h - hygiene of the headers: what the parser of libmicrohttpd lets through and must not
 * pass, and who may ask.
 *
 * The parser takes both a Content-Length and a Transfer-Encoding, several of either, spaces before
 * the colon: things by which two programs come to see different requests in the same bytes. They
 * are refused here, and the connection is closed. A service without passwords on the loopback is
 * within reach of every page its user's browser opens: pages of other origins are refused, and
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
    const char *content_type;
    const char *accept;
    const char *accept_encoding;
    const char *request_id;
    bool expects_continue;
    bool is_chunked;
    enum { CODING_NONE, CODING_GZIP, CODING_UNKNOWN } coding; /* Content-Encoding */
    uint64_t length; /* of the body; 0 where it is chunked or there is none */
    bool has_wait;   /* Prefer: wait=N */
    unsigned wait_seconds;
};

/* The value of a Cookie that stands before all headers; headers_read() passes over it. See
 * malformed.h. */
extern const char http_no_cookies[];

/* Reads a Content-Length, cut to UINT64_MAX; false if it is not a whole number. */
bool http_length_read(const char *text, uint64_t *ret_length);

/* Reads the headers; false with malformed_request set. method and version are the library's own. */
bool headers_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct headers *headers, struct problem *problem);

/* Sets foreign_host or foreign_origin. `hosts` lists the names that a Host may have, with commas or
 * blanks between them: "localhost" stands for all names of the loopback, "*" for any name. */
bool headers_may_ask(const struct headers *headers, const char *hosts, struct problem *problem);

/* Whether a text is such a list; else why not, in error[error_size]. */
bool http_hosts_check(const char *hosts, char *error, size_t error_size);

/* Whether a media type, as Content-Type has it, is this one, parameters apart. */
bool headers_media_is(const char *type, const char *media);
/* Whether a list, as Accept and Accept-Encoding have it, names this one, and not with q=0. */
bool headers_list_names(const char *list, const char *name);

#endif
