/* dtype.h - the types of numbers that a file of an array holds.
 *
 * Values lie in a row of bytes, aligned or not, in this machine's order (little-endian). */
#ifndef SERVER_BASE_DTYPE_H
#define SERVER_BASE_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype { DTYPE_U1, DTYPE_I1, DTYPE_I2, DTYPE_I4, DTYPE_I8, DTYPE_F4, DTYPE_F8 };

enum { DTYPES = DTYPE_F8 + 1 };

#define DTYPE_NAMES "uint8, int8, int16, int32, int64, float32 and float64"

/* Bytes of a value, and NumPy's name for it, e.g. "float32". */
size_t dtype_size(enum dtype dtype);
const char *dtype_name(enum dtype dtype);

/* False, *ret_dtype untouched: no type has the name. */
bool dtype_find(const char *name, enum dtype *ret_dtype);

/* Reverses the bytes of each value. */
void dtype_swap(enum dtype dtype, void *values, size_t count);

/* The index of the first value that is beyond float32, infinite or not a number; or count. */
size_t dtype_find_not_finite(enum dtype dtype, const void *values, size_t count);

/* Writes the nearest float32 of each value to out[count]. Stops at the first value without a finite
 * one, and returns its index; or count. */
size_t dtype_to_float(enum dtype dtype, const void *values, size_t count, float *out);

/* Writes each value, a whole number of 0 .. INT32_MAX, to out[count]; 3.0 is whole. Stops at the
 * first value that is not, and returns its index; or count. */
size_t dtype_to_label(enum dtype dtype, const void *values, size_t count, int32_t *out);

#endif
