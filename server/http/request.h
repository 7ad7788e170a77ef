/* request.h - what a handler is given and what it answers, free of any HTTP library.
 *
 * The http floor makes a request once the whole body is there, calls the route's handler, and
 * sends the reply. A handler never blocks on a run: it parks the request instead. What takes longer
 * than about a millisecond it leaves to the compute pool: see reply_defers(). */
#ifndef SERVER_HTTP_REQUEST_H
#define SERVER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/thread_team.h"
#include "server/base/limits.h"
#include "server/base/problem.h"
#include "server/json/writer.h"

struct service; /* everything the handlers share; see service.h */

enum { QUERY_MOST = 8 };

enum request_media { MEDIA_JSON, MEDIA_NPY };

struct query_parameter {
    const char *name;
    const char *value; /* "" where there is none */
};

struct request {
    const char *method; /* HEAD arrives as GET */
    const char *path;
    char id[LIMIT_REQUEST_ID + 1]; /* of X-Request-Id, or made up */

    /* From the path, as the route's pattern names them: {model}, {dataset}, {version}, {run}. */
    char model[LIMIT_ID + 1];
    char dataset[LIMIT_ID + 1];
    int64_t version;
    int64_t run;

    struct query_parameter query[QUERY_MOST]; /* only names the route allows */
    unsigned query_count;

    enum request_media media;
    const char *body; /* borrowed, not terminated */
    size_t body_size;
    int file; /* of a route that takes a file: where the body is, from its beginning; else -1 */

    bool accepts_npy;  /* an answer of application/x-npy is asked for */
    bool accepts_json; /* one of JSON is taken too */
    bool accepts_gzip; /* a compressed one is taken */

    const struct thread_team *team; /* shares the work; NULL on an event loop */

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
    bool is_gzip; /* the body is compressed already */
    bool defers;
    struct reply_park park;
    struct json_writer json; /* the body otherwise */
    struct problem problem;  /* where set, it is the answer, whatever else was written */
};

/* An empty reply. */
void reply_init(struct reply *reply);

/* Whether so much work (see LIMIT_WORK) is too much for an event loop: then the handler returns at
 * once, and is called again, from the beginning, by a thread of the pool. */
static inline bool reply_defers(struct reply *reply, const struct request *request, uint64_t work)
{
    reply->defers = request->team == NULL && work > LIMIT_INLINE_WORK;
    return reply->defers;
}

/* Answers with what was written to reply->json. */
static inline void reply_with(struct reply *reply, unsigned status)
{
    reply->status = status;
}

/* The value of a query parameter, or NULL. */
const char *request_query(const struct request *request, const char *name);

#endif
