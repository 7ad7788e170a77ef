/* routes.h - the table of all paths that the service answers. A test compares it with openapi.yaml.
 */
#ifndef SERVER_API_ROUTES_H
#define SERVER_API_ROUTES_H

#include "server/http/route.h"

extern const struct route routes[];
extern const size_t routes_count;

#endif
