/* idx.h - the header of IDX, the format of MNIST's files (http://yann.lecun.com/exdb/mnist/).
 *
 * Two zero bytes, one for the type, one for the rank, then each dimension as four bytes, big-endian
 * like the values that follow. */
#ifndef SERVER_FILES_IDX_H
#define SERVER_FILES_IDX_H

#include "server/files/array_layout.h"

/* Whether a file that begins with these bytes is meant to be IDX. */
bool idx_matches(const void *bytes, size_t size);

/* Reads the header at the beginning of the bytes. False with the problem set and nothing else
 * touched: truncated_data (the bytes end within the header), unsupported_format (the type is not
 * accepted), and those of array_layout_measure(). */
bool idx_header_read(const void *bytes, size_t size, struct array_layout *ret_layout,
                     size_t *ret_header_size, struct problem *problem);

#endif
