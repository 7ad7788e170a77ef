#include "server/base/checksum.h"

#include <stdio.h>

#include <nettle/memops.h>

void checksum_init(struct checksum *checksum)
{
    sha256_init(&checksum->context);
}

void checksum_add(struct checksum *checksum, const void *data, size_t size)
{
    sha256_update(&checksum->context, size, data);
}

void checksum_finish(struct checksum *checksum, char ret_text[CHECKSUM_TEXT])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    sha256_digest(&checksum->context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(ret_text + 2 * i, 3, "%02x", digest[i]);
}

void checksum_digest(const void *data, size_t size, uint8_t ret_digest[CHECKSUM_BYTES])
{
    struct checksum checksum;
    checksum_init(&checksum);
    checksum_add(&checksum, data, size);
    sha256_digest(&checksum.context, CHECKSUM_BYTES, ret_digest);
}

bool checksum_is_equal(const uint8_t one[CHECKSUM_BYTES], const uint8_t other[CHECKSUM_BYTES])
{
    return memeql_sec(one, other, CHECKSUM_BYTES) != 0;
}
