/* request.h - what a handler is given and what it answers, free of any HTTP library.
 *
 * A request is handled in steps. The HTTP layer calls the route's handler when the whole body is
 * there; it answers, or it names the next step and makes the state for it. A handler that has much
 * to compute has two: the first reads (parses the body, checks it, says how much work follows), the
 * second runs (computes, answers). The HTTP layer decides which thread calls a step: an event loop
 * where the work is small, else a thread of the compute pool. A step that must wait for an event
 * (the end of a run) does not block: it names the step that follows the event. */
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
    void *state;                    /* what the step before has made; NULL in the first step */

    bool prefers_wait; /* Prefer: wait=N (RFC 7240) */
    unsigned wait_seconds;
};

struct reply;
typedef void route_handler(struct service *service, const struct request *request,
                           struct reply *reply);

/* The step that follows the one that has just been called. */
struct reply_next {
    route_handler *run; /* NULL: none follows, the reply is the answer */
    void *state;        /* owned; NULL: none */
    void (*finish)(void *state);
    uint64_t work;         /* of the step, in units of LIMIT_WORK */
    unsigned wait_seconds; /* 0: it follows at once */
    int64_t event;         /* else after this event, or when the time is over */
    bool (*has_happened)(struct service *service, int64_t event);
};

/* More work than an event loop takes: that of a step that waits for the disk. */
#define WORK_FOR_POOL UINT64_MAX

enum { REPLY_LOCATION = 128 };

struct reply {
    unsigned status;
    const char *content_type;      /* static text; application/json unless set */
    char location[REPLY_LOCATION]; /* a path, e.g. "/runs/7"; "" for none */
    unsigned waited_seconds;       /* of Preference-Applied: wait=N; 0 for none */
    unsigned retry_after_seconds;  /* 0 for none */
    const char *allow;             /* of a 405; NULL for none */
    const void *static_body;       /* borrowed for ever, e.g. the embedded contract; or NULL */
    size_t static_size;
    bool is_gzip; /* the body is compressed already */
    struct reply_next next;
    struct buffer body;      /* the body otherwise */
    struct json_writer json; /* writes into the body */
    struct problem problem;  /* where set, it is the answer, whatever else was written */
};

/* An empty reply, which must not be moved after this. */
void reply_init(struct reply *reply);

/* Makes the state of the next step: `size` zeroed bytes, suitably aligned. The request owns it and,
 * whatever happens, calls finish(state) and then frees it after the next step. NULL with the
 * problem set: there is no memory. Call it at most once in a step. */
void *reply_make_state(struct reply *reply, size_t size, void (*finish)(void *state));

/* Names the next step, in which request->state is the state made, and request->body is gone. A
 * problem that is set cancels it. */
static inline void reply_continue(struct reply *reply, route_handler *run, uint64_t work)
{
    reply->next.run = run;
    reply->next.work = work;
}

/* Names a step of little work that follows an event (the end of the run of this id), or the end of
 * so many seconds. has_happened() is asked once after the request has begun to wait, so that no
 * event is missed. */
static inline void reply_wait(struct reply *reply, route_handler *run, unsigned seconds,
                              int64_t event,
                              bool (*has_happened)(struct service *service, int64_t event))
{
    reply->next.run = run;
    reply->next.wait_seconds = seconds;
    reply->next.event = event;
    reply->next.has_happened = has_happened;
}

/* Answers with what reply->body holds. */
static inline void reply_with(struct reply *reply, unsigned status)
{
    reply->status = status;
}

/* The value of a query parameter, or NULL. */
const char *request_query(const struct request *request, const char *name);

#endif
