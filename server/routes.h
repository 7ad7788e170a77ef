/* routes.h - the table of every path that the service answers; openapi.yaml says the same, and a
 * test compares them. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "request.h"

struct route {
    const char *method;
    const char *pattern; /* e.g. "/models/{model}/versions/{version}/predict" */
    route_handler *handler;
    bool takes_body;               /* else a body is refused as malformed_request */
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
