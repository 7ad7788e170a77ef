/* embedded.h - files that are part of the binary. */
#ifndef SERVER_BASE_EMBEDDED_H
#define SERVER_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded {
    const char *text; /* terminated */
    size_t size;      /* without the end */
};

extern const struct embedded embedded_openapi;

/* The migrations, in order: the n-th leads to user_version n. */
extern const struct embedded embedded_migrations[];
extern const size_t embedded_migrations_count;

#endif
