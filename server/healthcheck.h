/* healthcheck.h - asks a running server whether it is ready, e.g. for a container's engine. */
#ifndef SERVER_HEALTHCHECK_H
#define SERVER_HEALTHCHECK_H

#include <stdbool.h>

/* GET /health/ready where a server with this --listen serves; 0.0.0.0 and :: are asked by loopback.
 * Waits at most two seconds. */
bool healthcheck(const char *listen);

#endif
