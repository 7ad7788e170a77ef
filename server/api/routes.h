/* routes.h - the table of every path that the service answers; openapi.yaml says the same, and a
 * test compares them. */
#ifndef SERVER_API_ROUTES_H
#define SERVER_API_ROUTES_H

#include "server/http/route.h"

extern const struct route routes[];
extern const size_t routes_count;

#endif
