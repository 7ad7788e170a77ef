/* descriptors.h - the descriptors that a server holds. */
#ifndef TESTS_SUPPORT_DESCRIPTORS_H
#define TESTS_SUPPORT_DESCRIPTORS_H

#include "tests/support/service.h"

struct descriptors {
    int sockets;
    int nameless; /* files without a name: bodies */
};

struct descriptors descriptors_count(const struct service *service);
/* Until the server holds these. */
void descriptors_await(const struct service *service, const struct descriptors *expected);

/* Until the nameless files in its directory have this many bytes together. */
void descriptors_await_bytes(const struct service *service, long long bytes);

/* Whether it holds a file, perhaps without a name, whose path contains this. */
bool descriptors_have(const struct service *service, const char *part);

#endif
