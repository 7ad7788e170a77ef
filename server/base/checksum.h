/* checksum.h - SHA-256, written as hex. */
#ifndef SERVER_BASE_CHECKSUM_H
#define SERVER_BASE_CHECKSUM_H

#include <stddef.h>

#include <nettle/sha2.h>

enum { CHECKSUM_TEXT = 65 };

/* One checksum of several pieces: init, add ..., finish. */
struct checksum {
    struct sha256_ctx context;
};

void checksum_init(struct checksum *checksum);
void checksum_add(struct checksum *checksum, const void *data, size_t size);
void checksum_finish(struct checksum *checksum, char ret_text[CHECKSUM_TEXT]);

#endif
