/* admit.h - what the headers of a request decide: its name, its route, whether its body
 * may come. Shared by the two files that see it through. */
#ifndef SERVER_HTTP_ADMIT_H
#define SERVER_HTTP_ADMIT_H

#include "server/http/headers.h"
#include "server/http/internal.h"
#include "server/http/malformed.h"
#include "server/http/route.h"

struct MHD_Connection;

/* A client that is sending sees no answer before it has sent all: so much of a body that is too
 * large, in units of the largest allowed, is read and discarded. */
enum { EXCHANGE_METHOD = 16, EXCHANGE_AUTHORITY = 264, DISCARDED_BODIES = 4 };

/* A request and its reply, from the request line to the log line. */
struct exchange {
    struct http_server *server;
    struct connection *connection;
    struct timespec begun;
    struct http_headers headers;
    const struct route *route; /* NULL: refused */
    struct request request;
    struct malformed_place reading;
    struct waiting_place place;
    struct thread_pool_job job;
    struct MHD_Connection *suspended; /* that the job resumes */
    struct reply_next step;           /* that is to be called; run NULL: the reply is ready */
    char method[EXCHANGE_METHOD];     /* as the log shows it */
    char path[LIMIT_PATH + 1];
    char authority[EXCHANGE_AUTHORITY]; /* of an absolute request target: in place of Host; or "" */
    char allow[ROUTE_ALLOW];
    bool path_is_plain;
    bool headers_read;
    bool close;
    bool is_received;
    struct http_body body;
    size_t received; /* bytes of the body, kept or not */
    unsigned status; /* 0: not answered */
    size_t answer_bytes;
    struct reply reply; /* last, see reply_init() */
};

/* Copies what logs and problems may show: printable ASCII except quotes and backslashes; the rest
 * becomes question marks. Returns whether nothing was lost. */
bool copy_plain(char *out, size_t out_size, const char *text, size_t length);

/* Names the request as its client does; NULL, or a name that is no X-Request-Id: by a new one. */
void exchange_name(struct exchange *exchange, const char *client_id);

/* Reads the headers. What is wrong is noted in the reply; where the connection can't live on,
 * exchange->close is set. Else the body may come. */
void exchange_admit(struct exchange *exchange, struct MHD_Connection *connection,
                    const char *method, const char *version);

/* The most that its body may have. */
size_t exchange_most_bytes(const struct exchange *exchange);

/* Who watches over the service may do so by any name, and it is no news. */
bool exchange_is_health(const struct exchange *exchange);

#endif
