/* npy.h - the header of .npy, NumPy's format (numpy.lib.format), versions 1.0, 2.0 and 3.0.
 *
 * A magic word, the version, the length of a text, and the text: a Python dict of "descr" (the
 * type), "fortran_order" and "shape". The values follow. */
#ifndef SERVER_FILES_NPY_H
#define SERVER_FILES_NPY_H

#include "server/files/array_layout.h"

enum {
    NPY_HEADER_READ = 16 * 1024, /* bytes of the longest header that is read */
    NPY_HEADER_WRITTEN = 320     /* bytes of the longest that is written */
};

/* Whether a file that begins with these bytes is .npy. */
bool npy_matches(const void *bytes, size_t size);

/* Reads the header at the beginning of the bytes: of a whole file, or of its first NPY_HEADER_READ.
 * Types are u1, i1, i2, i4, i8, f4, f8 of either order, and bool, which becomes uint8. False with
 * the problem set and nothing else touched: truncated_data (the bytes end within the header),
 * malformed_data (it is not such a header), unsupported_format (a type, an order or a version that
 * is not accepted), and those of array_layout_measure(). */
bool npy_header_read(const void *bytes, size_t size, struct array_layout *ret_layout,
                     size_t *ret_header_size, struct problem *problem);

/* Writes the header of an array in this machine's order with rank 1 .. ARRAY_RANK to out
 * (NPY_HEADER_WRITTEN bytes). Returns its size, a multiple of 64. */
size_t npy_header_write(enum dtype dtype, unsigned rank, const size_t *shape, char *out);

#endif
