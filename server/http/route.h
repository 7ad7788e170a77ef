/* route.h - a table of paths, and the search for the one that a request names. */
#ifndef SERVER_HTTP_ROUTE_H
#define SERVER_HTTP_ROUTE_H

#include "server/http/request.h"

enum route_body {
    BODY_NONE,  /* a body is refused as malformed_request */
    BODY_JSON,  /* a JSON document */
    BODY_ARRAY, /* likewise, or an array of application/x-npy */
    BODY_FILE   /* anything, spooled to a file */
};

enum route_place {
    ON_EVENT_LOOP, /* unless its body is large, or its handler defers */
    ON_POOL        /* it waits for the disk */
};

struct route {
    const char *method;
    const char *pattern; /* e.g. "/models/{model}/versions/{version}/predict" */
    route_handler *handler;
    enum route_body body;
    enum route_place place;
    const char *query[QUERY_MOST]; /* parameters it understands, NULL-terminated */
};

/* Finds the route and fills in the path's values (model, version, run) of `request`, whose method
 * and path are set. NULL with the problem set: not_found, method_not_allowed (`allow_text` then
 * lists the methods), or, where a segment can't be an id, model_not_found, version_not_found or
 * run_not_found. */
enum { ROUTE_ALLOW = 64 };
const struct route *route_match(const struct route *routes, size_t count, struct request *request,
                                char allow_text[ROUTE_ALLOW], struct problem *problem);

#endif
