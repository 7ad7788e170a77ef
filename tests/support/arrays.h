/* arrays.h - arrays as files hold them, written by none of the server's code. */
#ifndef TESTS_SUPPORT_ARRAYS_H
#define TESTS_SUPPORT_ARRAYS_H

#include "tests/support/files.h"

/* .npy of version 1.0, as NumPy writes it: "<f4", "(2, 3)", and the values' bytes. */
struct bytes npy_of(const char *type, const char *shape, const void *values, size_t size);
/* Likewise of numbers that are written in the type: [|<>] and u1, i1, i2, i4, i8, f4 or f8. */
struct bytes npy_of_numbers(const char *type, const char *shape, const double *numbers,
                            size_t count);

/* .npy of version 1.0 whose header is this text and nothing else; a usual text of it. */
struct bytes npy_of_dict(const char *dict);
#define NPY_DICT(descr, order, shape)                                                              \
    "{'descr': " descr ", 'fortran_order': " order ", 'shape': " shape "}"

/* What numpy.save() writes of two arrays up to their values: float32 (2, 2), and int64 of the other
 * byte order (2,) as version 2.0. A file has its header padded to 128 bytes, then the values. */
#define NPY_SAVED_F4                                                                               \
    "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
#define NPY_SAVED_I8                                                                               \
    "\x93NUMPY\x02\x00\x74\x00\x00\x00{'descr': '>i8', 'fortran_order': False, 'shape': (2,), }"
struct bytes npy_saved(const char *header, size_t size, const void *values, size_t values_size);

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
