/* arrays.h - arrays as files hold them, written by none of the server's code. */
#ifndef TESTS_SUPPORT_ARRAYS_H
#define TESTS_SUPPORT_ARRAYS_H

#include "tests/support/files.h"

/* .npy of version 1.0, as NumPy writes it: "<f4", "(2, 3)", and the values' bytes. */
struct bytes npy_of(const char *type, const char *shape, const void *values, size_t size);
/* Likewise of numbers that are written in the type: [|<>] and u1, i1, i2, i4, i8, f4 or f8. */
struct bytes npy_of_numbers(const char *type, const char *shape, const double *numbers,
                            size_t count);

/* Every type that is taken, as .npy names it. */
enum { NPY_TYPES = 12 };
extern const char *const npy_types[NPY_TYPES];

/* The numbers in a type's bytes, as .npy names it. */
struct bytes values_of(const char *type, const double *numbers, size_t count);

/* IDX of unsigned bytes. */
struct bytes idx_of(unsigned rank, const uint32_t *shape, const uint8_t *values);

/* A table, which is text. */
struct bytes csv_of(const char *csv);

/* SHA-256 in hexadecimal digits. */
void sha256_of(const void *at, size_t size, char text[65]);

#endif
