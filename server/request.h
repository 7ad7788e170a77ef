/* request.h - what a handler is given and what it answers, free of any HTTP library.
 *
 * The http floor makes a request once the whole body is there, calls the route's handler, and
 * sends the reply. A handler never blocks on a run: it parks the request instead. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_writer.h"
#include "limits.h"
#include "problem.h"

struct service; /* everything the handlers share; see service.h */

enum { QUERY_MOST = 8 };

struct query_parameter {
    const char *name;
    const char *value; /* "" where there is none */
};

struct request {
    const char *method; /* HEAD arrives as GET */
    const char *path;
    char id[LIMIT_REQUEST_ID + 1]; /* of X-Request-Id, or made up */

    /* From the path, as the route's pattern names them: {model}, {version}, {run}. */
    char model[LIMIT_ID + 1];
    int64_t version;
    int64_t run;

    struct query_parameter query[QUERY_MOST]; /* only names the route allows */
    unsigned query_count;

    const char *body; /* borrowed, not terminated */
    size_t body_size;

    bool prefers_wait; /* Prefer: wait=N (RFC 7240) */
    unsigned wait_seconds;

    int64_t parked_key; /* of the reply_park() that this call finishes */
};

struct reply;
typedef void route_handler(struct service *service, const struct request *request,
                           struct reply *reply);

/* A request that waits for an event named by a key (the end of a run), or for its deadline. */
struct reply_park {
    route_handler *finish; /* called when the wait is over; NULL: not parked */
    bool (*is_over)(struct service *service,
                    int64_t key); /* asked once after parking, so no event is missed */
    int64_t key;
    unsigned seconds;
};

enum { REPLY_LOCATION = 128 };

struct reply {
    unsigned status;
    const char *content_type;      /* static text; application/json unless set */
    char location[REPLY_LOCATION]; /* "" for none */
    unsigned waited_seconds;       /* of Preference-Applied: wait=N; 0 for none */
    unsigned retry_after_seconds;  /* 0 for none */
    const char *allow;             /* of a 405; NULL for none */
    const void *static_body;       /* borrowed for ever, e.g. the embedded contract; or NULL */
    size_t static_size;
    struct json_writer json; /* the body otherwise */
    struct problem problem;  /* where set, it is the answer, whatever else was written */
    struct reply_park park;
};

/* Answers with what was written to reply->json. */
static inline void reply_with(struct reply *reply, unsigned status)
{
    reply->status = status;
}

/* The value of a query parameter, or NULL. */
const char *request_query(const struct request *request, const char *name);

#endif
