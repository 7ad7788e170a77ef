#include "tests/support/arrays.h"

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <nettle/sha2.h>

const char *const npy_types[NPY_TYPES] = {"|u1", "<i2", ">i2", "<i4", ">i4", "<i8",
                                          ">i8", "<f4", ">f4", "<f8", ">f8", "|i1"};

struct bytes npy_of(const char *type, const char *shape, const void *values, size_t size)
{
    enum { PREFIX = 10, ALIGNMENT = 64 };
    char text[512];
    int length = snprintf(text, sizeof text,
                          "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", type, shape);
    while ((PREFIX + length + 1) % ALIGNMENT != 0)
        text[length++] = ' ';
    text[length++] = '\n';
    const unsigned char prefix[PREFIX] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)length, (unsigned char)(length >> 8)};
    struct bytes npy = bytes_of(prefix, PREFIX);
    bytes_add(&npy, text, (size_t)length);
    if (size > 0)
        bytes_add(&npy, values, size);
    return npy;
}

static void add_value(struct bytes *bytes, const char *type, double number)
{
    unsigned char value[8], turned[8];
    const size_t size = (size_t)(type[2] - '0');
    const float real = (float)number;
    const int64_t whole = (int64_t)number;
    if (type[1] == 'f' && size == sizeof real)
        memcpy(value, &real, size);
    else if (type[1] == 'f')
        memcpy(value, &number, size);
    else
        memcpy(value, &whole, size);
    for (size_t i = 0; i < size; i++)
        turned[i] = type[0] == '>' ? value[size - 1 - i] : value[i];
    bytes_add(bytes, turned, size);
}

struct bytes values_of(const char *type, const double *numbers, size_t count)
{
    struct bytes bytes = {0};
    for (size_t i = 0; i < count; i++)
        add_value(&bytes, type, numbers[i]);
    return bytes;
}

struct bytes npy_of_numbers(const char *type, const char *shape, const double *numbers,
                            size_t count)
{
    struct bytes values = values_of(type, numbers, count);
    struct bytes npy = npy_of(type, shape, values.at, values.size);
    bytes_finish(&values);
    return npy;
}

struct bytes idx_of(unsigned rank, const uint32_t *shape, const uint8_t *values)
{
    const unsigned char magic[] = {0, 0, 8, (unsigned char)rank};
    size_t count = 1;
    struct bytes idx = bytes_of(magic, sizeof magic);
    for (unsigned d = 0; d < rank; d++) {
        const unsigned char length[] = {(unsigned char)(shape[d] >> 24),
                                        (unsigned char)(shape[d] >> 16),
                                        (unsigned char)(shape[d] >> 8), (unsigned char)shape[d]};
        bytes_add(&idx, length, sizeof length);
        count *= shape[d];
    }
    bytes_add(&idx, values, count);
    return idx;
}

struct bytes csv_of(const char *csv)
{
    return bytes_of(csv, strlen(csv));
}

void sha256_of(const void *at, size_t size, char text[65])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx context;
    sha256_init(&context);
    sha256_update(&context, size, at);
    sha256_digest(&context, sizeof digest, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
}

/* A .npy of version 1.0 with this dict. */
struct bytes npy_of_dict(const char *dict)
{
    const size_t size = strlen(dict);
    const unsigned char prefix[] = {0x93,
                                    'N',
                                    'U',
                                    'M',
                                    'P',
                                    'Y',
                                    1,
                                    0,
                                    (unsigned char)(size & 0xFF),
                                    (unsigned char)(size >> 8)};
    struct bytes bytes = bytes_of(prefix, sizeof prefix);
    bytes_add(&bytes, dict, size);
    return bytes;
}

struct bytes npy_saved(const char *header, size_t size, const void *values, size_t values_size)
{
    char padded[128];
    memset(padded, ' ', sizeof padded);
    memcpy(padded, header, size);
    padded[sizeof padded - 1] = '\n';
    struct bytes bytes = bytes_of(padded, sizeof padded);
    bytes_add(&bytes, values, values_size);
    return bytes;
}
