/* healthcheck.h - asks a running server whether it is ready, e.g. for a container engine. */
#ifndef SERVER_HEALTHCHECK_H
#define SERVER_HEALTHCHECK_H

#include <stdbool.h>

struct listener_address;

/* GET /health/ready of the server with this --listen. A server on all addresses (:8080,
 * 0.0.0.0:8080, [::]:8080) is asked on the loopback. Waits two seconds at most for each step.
 * `is_encrypted`: it speaks TLS. */
bool healthcheck(const struct listener_address *address, bool is_encrypted);

#endif
