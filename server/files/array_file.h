/* array_file.h - one array from a file: IDX or NumPy's .npy, each perhaps gzipped.
 *
 * The first bytes tell which one it is. The values come in pieces, in this machine's order. What
 * the header promises is compared with what follows. */
#ifndef SERVER_FILES_ARRAY_FILE_H
#define SERVER_FILES_ARRAY_FILE_H

#include "server/files/array_layout.h"

struct array_file;

/* Reads the header. The file (a regular one) is borrowed and read from its beginning, without
 * moving its offset. Takes about 120 KiB of memory, whatever the header says. NULL with the problem
 * set: unsupported_format (neither IDX nor .npy, or a type or an order that is not accepted),
 * malformed_data, truncated_data, empty_batch, wrong_shape, too_large (more than `max_bytes` of
 * values, too). */
struct array_file *array_file_create(int fd, size_t max_bytes, struct problem *problem);
void array_file_destroy(struct array_file *file); /* takes NULL */

/* Borrowed, for as long as the file. */
const struct array_layout *array_file_layout(const struct array_file *file);

/* Reads the next whole values, up to `max_bytes` (8 or more). *ret_bytes is 0 at the end; only a
 * file read up to there is known to be whole. False with the problem set, *ret_bytes untouched and
 * anything in `values`: truncated_data, malformed_data (something follows the array, or the gzipped
 * data are damaged), not_finite. After that the file can only be destroyed. */
bool array_file_read(struct array_file *file, void *values, size_t max_bytes, size_t *ret_bytes,
                     struct problem *problem);

#endif
