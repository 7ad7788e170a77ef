/* routes.h - the table of every path that the service answers; openapi.yaml says the same, and a
 * test compares them. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "request.h"

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

extern const struct route routes[];
extern const size_t routes_count;

/* Finds the route and fills in the path's values (model, version, run) of `request`, whose method
 * and path are set. NULL with the problem set: not_found, method_not_allowed (`allow_text` then
 * lists the methods), or, where a segment can't be an id, model_not_found, version_not_found or
 * run_not_found. */
enum { ROUTES_ALLOW = 64 };
const struct route *routes_match(struct request *request, char allow_text[ROUTES_ALLOW],
                                 struct problem *problem);

#endif
