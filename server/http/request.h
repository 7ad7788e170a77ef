/* request.h - a request as a handler sees it, free of any HTTP library.
 *
 * A request is handled in steps. The HTTP layer calls the handler of its route when the whole body
 * is there. The handler answers, or it names the next step and makes the state for it (see
 * reply.h). A handler that has much to compute has two steps: the first reads (parses the body,
 * checks it, says how much work follows), the second runs (computes, answers). The HTTP layer
 * decides which thread calls a step: an event loop if the work is small, else a thread of the
 * compute pool. A step that must wait for an event, the end of a run, does not block: it names the
 * step that follows the event. */
#ifndef SERVER_HTTP_REQUEST_H
#define SERVER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/stop_check.h"
#include "core/thread_team.h"
#include "server/base/budget.h"
#include "server/base/limits.h"

struct service; /* everything that the handlers share; see service.h */
struct request;
struct reply;

/* A step: answers in `reply`, or names the next step there. */
typedef void request_handler(struct service *service, const struct request *request,
                             struct reply *reply);

/* The longest list of a route's parameters. */
enum { REQUEST_PARAMETERS = 16 };

enum request_media { MEDIA_JSON, MEDIA_NPY };

/* A parameter of the query string. */
struct request_parameter {
    const char *name;
    const char *value; /* "" if there is none */
};

struct request {
    const char *method; /* HEAD arrives as GET */
    const char *path;
    char id[LIMIT_REQUEST_ID + 1]; /* of X-Request-Id, or made up */

    char idempotency_key[LIMIT_IDEMPOTENCY_KEY + 1]; /* "": none */
    const char *if_match;                            /* borrowed; NULL: none */

    /* From the path, as the route's pattern names them: {model}, {dataset}, {version}, {run}. */
    char model[LIMIT_ID + 1];
    char dataset[LIMIT_ID + 1];
    int64_t version;
    int64_t run;

    struct request_parameter query[REQUEST_PARAMETERS]; /* only names that the route allows */
    unsigned query_count;

    enum request_media media;
    const char *body; /* borrowed, not terminated; only for the first step */
    size_t body_size;
    int file; /* the body of a route that takes a file, from its beginning; else -1 */

    bool accepts_npy;  /* an answer of application/x-npy is asked for */
    bool accepts_json; /* an answer of JSON is accepted */
    bool accepts_gzip; /* a compressed answer is accepted */

    struct charge *memory; /* counts what reading the body takes, until the answer or a wait */

    const struct thread_team *team;      /* shares the work; NULL on an event loop */
    const struct stop_check *stop_check; /* for work that takes long: no client waits for the
                                            answer; NULL on an event loop */
    void *state;                         /* what the step before has made; NULL in the first step */

    unsigned wait_seconds; /* Prefer: wait=N (RFC 7240); 0: none */
};

/* The value of a query parameter, or NULL. */
static inline const char *request_query(const struct request *request, const char *name)
{
    for (unsigned i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

#endif
