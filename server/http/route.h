/* route.h - a table of paths, and the search for the one that a request names. */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include "server/http/keys.h"
#include "server/http/reply.h"
#include "server/http/request.h"

enum route_body {
    BODY_NONE,  /* a body is refused as malformed_request */
    BODY_JSON,  /* a JSON document */
    BODY_ARRAY, /* likewise, or an array of application/x-npy */
    BODY_FILE   /* anything, written to a file */
};

/* Which thread calls the first step of the handler. */
enum route_place {
    ON_EVENT_LOOP,           /* unless the body is large */
    ON_EVENT_LOOP_IF_CACHED, /* likewise, and if http_options.is_cached says so; else on the pool */
    ON_WRITE_LANE,           /* the step is a short write: it waits for no computation */
    ON_POOL                  /* the step writes to the store, or reads much from it */
};

struct route {
    const char *method;
    const char *pattern; /* e.g. "/models/{model}/versions/{version}/predict" */
    request_handler *handler;
    enum role role; /* that a key needs for it */
    enum route_body body;
    enum route_place place;
    const char *const *query; /* names of its parameters, at most REQUEST_PARAMETERS, ended by NULL;
                                 NULL: it has none */
};

/* Whether a text is the id of a model or a dataset: [a-z0-9][a-z0-9_-]{0,62}. */
bool route_is_id(const char *text, size_t length);

/* Finds the route and fills in the path's values (model, dataset, version, run) of `request`, whose
 * method and path are set. NULL with the reply's problem set: not_found; method_not_allowed, and
 * reply->allow lists the methods; or model_not_found and the like, if a segment can't be an id. */
const struct route *route_match(const struct route *routes, size_t count, struct request *request,
                                struct reply *reply);

#endif
