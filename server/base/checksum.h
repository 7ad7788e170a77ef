/* checksum.h - SHA-256, as bytes and written as hex. */
#ifndef SERVER_BASE_CHECKSUM_H
#define SERVER_BASE_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nettle/sha2.h>

enum { CHECKSUM_BYTES = SHA256_DIGEST_SIZE, CHECKSUM_TEXT = 2 * CHECKSUM_BYTES + 1 };

/* One checksum of several pieces: init, add ..., finish. */
struct checksum {
    struct sha256_ctx context;
};

void checksum_init(struct checksum *checksum);
void checksum_add(struct checksum *checksum, const void *data, size_t size);
void checksum_finish(struct checksum *checksum, char ret_text[CHECKSUM_TEXT]);

/* The checksum of one piece, as bytes. */
void checksum_digest(const void *data, size_t size, uint8_t ret_digest[CHECKSUM_BYTES]);

/* Compares two in a time that does not depend on where they differ. */
bool checksum_is_equal(const uint8_t one[CHECKSUM_BYTES], const uint8_t other[CHECKSUM_BYTES]);

#endif
