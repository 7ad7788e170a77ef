#include "tests/support/files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <check.h>
#include <zlib.h>

#include "tests/support/suite.h"

struct bytes bytes_of(const void *at, size_t size)
{
    struct bytes bytes = {.at = malloc(size + 1)};
    ck_assert_ptr_nonnull(bytes.at);
    memcpy(bytes.at, at, size);
    bytes.size = size;
    return bytes;
}

void bytes_add(struct bytes *bytes, const void *at, size_t size)
{
    if (size == 0)
        return;
    if (bytes->size + size > bytes->capacity) {
        bytes->capacity = 2 * (bytes->size + size) + 1;
        bytes->at = realloc(bytes->at, bytes->capacity);
        ck_assert_ptr_nonnull(bytes->at);
    }
    memcpy(bytes->at + bytes->size, at, size);
    bytes->size += size;
}

void bytes_finish(struct bytes *bytes)
{
    free(bytes->at);
    *bytes = (struct bytes){0};
}

struct bytes bytes_gzipped(const struct bytes *bytes)
{
    z_stream stream = {0};
    ck_assert_int_eq(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8,
                                  Z_DEFAULT_STRATEGY),
                     Z_OK);
    struct bytes gzipped = {.size = deflateBound(&stream, bytes->size)};
    gzipped.at = malloc(gzipped.size);
    ck_assert_ptr_nonnull(gzipped.at);
    stream.next_in = bytes->at;
    stream.avail_in = (uInt)bytes->size;
    stream.next_out = gzipped.at;
    stream.avail_out = (uInt)gzipped.size;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    gzipped.size = stream.total_out;
    deflateEnd(&stream);
    return gzipped;
}

struct bytes bytes_inflated(const void *at, size_t size)
{
    char piece[4096];
    struct bytes plain = {0};
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)at, .avail_in = (uInt)size};
    ck_assert_int_eq(inflateInit2(&stream, MAX_WBITS + 16), Z_OK);
    int result;
    do {
        stream.next_out = (Bytef *)piece;
        stream.avail_out = sizeof piece;
        result = inflate(&stream, Z_NO_FLUSH);
        bytes_add(&plain, piece, sizeof piece - stream.avail_out);
    } while (result == Z_OK);
    ck_assert_int_eq(result, Z_STREAM_END);
    ck_assert_uint_eq(stream.avail_in, 0);
    inflateEnd(&stream);
    return plain;
}

int file_of(const struct bytes *bytes)
{
    const int fd = memfd_create("test", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (size_t done = 0; done < bytes->size;) {
        const ssize_t written = write(fd, bytes->at + done, bytes->size - done);
        ck_assert_int_gt(written, 0);
        done += (size_t)written;
    }
    return fd;
}

uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Replaces `cut` bytes at a place by others. */
static void splice(struct bytes *bytes, size_t place, size_t cut, const void *at, size_t size)
{
    struct bytes spliced = bytes_of(bytes->at, place);
    bytes_add(&spliced, at, size);
    bytes_add(&spliced, bytes->at + place + cut, bytes->size - place - cut);
    bytes_finish(bytes);
    *bytes = spliced;
}

static void mutate(struct bytes *bytes, uint32_t *state)
{
    static const char liked[] = "\0\1\xFF\x7F\x80\n\r,\"' ()[]{}:0919-+.eE\xC3\xA9naif";
    if (bytes->size == 0)
        return;
    /* Half of the places are near the beginning, where headers are. */
    const size_t near = bytes->size < 128 ? bytes->size : 128;
    const size_t place = next_random(state) % (next_random(state) % 2 ? near : bytes->size);
    const size_t left = bytes->size - place;
    const size_t run = 1 + next_random(state) % (left < 16 ? left : 16);
    const char *character = &liked[next_random(state) % sizeof liked];
    switch (next_random(state) % 6) {
    case 0:
        bytes->at[place] ^= (unsigned char)(1u << next_random(state) % 8);
        break;
    case 1:
    case 2:
        bytes->at[place] = (unsigned char)*character;
        break;
    case 3:
        splice(bytes, place, 0, character, 1);
        break;
    case 4:
        splice(bytes, place, run, "", 0);
        break;
    case 5: {
        struct bytes doubled = bytes_of(bytes->at + place, run);
        splice(bytes, place, 0, doubled.at, run);
        bytes_finish(&doubled);
        break;
    }
    }
}

struct bytes bytes_mutated(const struct bytes *bytes, uint32_t *state)
{
    struct bytes mutated = bytes_of(bytes->at, bytes->size);
    for (uint32_t left = 1 + next_random(state) % 4; left > 0; left--)
        mutate(&mutated, state);
    if (next_random(state) % 16 == 0)
        mutated.size = next_random(state) % (mutated.size + 1);
    return mutated;
}

void mutate_files(struct bytes files[3], uint32_t seed, mutant_test *is_read)
{
    struct bytes gzipped[3];
    uint32_t state = seed;
    unsigned long whole = 0, total = suite_rounds(6000);
    for (int i = 0; i < 3; i++)
        gzipped[i] = bytes_gzipped(&files[i]);
    for (unsigned long i = 0; i < total; i++) {
        const bool is_plain = next_random(&state) % 4 > 0; /* few streams survive */
        struct bytes mutant = bytes_mutated(&(is_plain ? files : gzipped)[i % 3], &state);
        whole += is_read(&mutant, i);
        bytes_finish(&mutant);
    }
    ck_assert_uint_gt(whole, total / 100);
    ck_assert_uint_lt(whole, total / 2);
    for (int i = 0; i < 3; i++) {
        bytes_finish(&gzipped[i]);
        bytes_finish(&files[i]);
    }
}

struct bytes bytes_padded(const char *text, char character, size_t size)
{
    const size_t length = strlen(text);
    struct bytes bytes = {.at = malloc(length + size), .size = length + size};
    memcpy(bytes.at, text, length);
    memset(bytes.at + length, character, size);
    return bytes;
}
