/* dtype.c - one macro makes the loops of each type, so that no loop asks for the type.
 *
 * memcpy reads unaligned values; the compiler makes plain loads of it. */
#include "server/base/dtype.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files are kept little-endian");

/* A whole number of int32 is exact as a double, and no other becomes one by rounding. */
#define DEFINE_CONVERSIONS(name, type)                                                             \
    static size_t name##_to_float(const char *values, size_t count, float *out)                    \
    {                                                                                              \
        type value;                                                                                \
        for (size_t i = 0; i < count; i++) {                                                       \
            memcpy(&value, values + i * sizeof value, sizeof value);                               \
            const float number = (float)value;                                                     \
            if (!isfinite(number))                                                                 \
                return i;                                                                          \
            out[i] = number;                                                                       \
        }                                                                                          \
        return count;                                                                              \
    }                                                                                              \
                                                                                                   \
    static size_t name##_to_label(const char *values, size_t count, int32_t *out)                  \
    {                                                                                              \
        type value;                                                                                \
        for (size_t i = 0; i < count; i++) {                                                       \
            memcpy(&value, values + i * sizeof value, sizeof value);                               \
            const double number = (double)value;                                                   \
            if (!(number >= 0 && number <= INT32_MAX) || number != floor(number))                  \
                return i;                                                                          \
            out[i] = (int32_t)number;                                                              \
        }                                                                                          \
        return count;                                                                              \
    }

DEFINE_CONVERSIONS(u1, uint8_t)
DEFINE_CONVERSIONS(i1, int8_t)
DEFINE_CONVERSIONS(i2, int16_t)
DEFINE_CONVERSIONS(i4, int32_t)
DEFINE_CONVERSIONS(i8, int64_t)
DEFINE_CONVERSIONS(f4, float)
DEFINE_CONVERSIONS(f8, double)

#define DEFINE_SWAP(name, type, swap)                                                              \
    static void name(char *values, size_t count)                                                   \
    {                                                                                              \
        type value;                                                                                \
        for (size_t i = 0; i < count; i++, values += sizeof value) {                               \
            memcpy(&value, values, sizeof value);                                                  \
            value = swap(value);                                                                   \
            memcpy(values, &value, sizeof value);                                                  \
        }                                                                                          \
    }

DEFINE_SWAP(swap_2, uint16_t, __builtin_bswap16)
DEFINE_SWAP(swap_4, uint32_t, __builtin_bswap32)
DEFINE_SWAP(swap_8, uint64_t, __builtin_bswap64)

static const struct {
    const char *name;
    size_t size;
    void (*swap)(char *values, size_t count); /* NULL: a value is one byte */
    size_t (*to_float)(const char *values, size_t count, float *out);
    size_t (*to_label)(const char *values, size_t count, int32_t *out);
} types[DTYPES] = {
    [DTYPE_U1] = {"uint8", 1, NULL, u1_to_float, u1_to_label},
    [DTYPE_I1] = {"int8", 1, NULL, i1_to_float, i1_to_label},
    [DTYPE_I2] = {"int16", 2, swap_2, i2_to_float, i2_to_label},
    [DTYPE_I4] = {"int32", 4, swap_4, i4_to_float, i4_to_label},
    [DTYPE_I8] = {"int64", 8, swap_8, i8_to_float, i8_to_label},
    [DTYPE_F4] = {"float32", 4, swap_4, f4_to_float, f4_to_label},
    [DTYPE_F8] = {"float64", 8, swap_8, f8_to_float, f8_to_label},
};

size_t dtype_size(enum dtype dtype)
{
    return types[dtype].size;
}

const char *dtype_name(enum dtype dtype)
{
    return types[dtype].name;
}

bool dtype_find(const char *name, enum dtype *ret_dtype)
{
    for (unsigned i = 0; i < DTYPES; i++) {
        if (strcmp(types[i].name, name) == 0) {
            *ret_dtype = (enum dtype)i;
            return true;
        }
    }
    return false;
}

void dtype_swap(enum dtype dtype, void *values, size_t count)
{
    if (types[dtype].swap != NULL)
        types[dtype].swap(values, count);
}

size_t dtype_find_not_finite(enum dtype dtype, const void *values, size_t count)
{
    enum { PIECE = 1024 };
    float piece[PIECE];
    const char *bytes = values;
    size_t at = dtype == DTYPE_F4 || dtype == DTYPE_F8 ? 0 : count;
    while (at < count) {
        const size_t size = count - at < PIECE ? count - at : PIECE;
        const size_t finite = types[dtype].to_float(bytes + at * types[dtype].size, size, piece);
        at += finite;
        if (finite < size)
            break;
    }
    return at;
}

size_t dtype_to_float(enum dtype dtype, const void *values, size_t count, float *out)
{
    return types[dtype].to_float(values, count, out);
}

size_t dtype_to_label(enum dtype dtype, const void *values, size_t count, int32_t *out)
{
    return types[dtype].to_label(values, count, out);
}
