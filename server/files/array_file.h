/* array_file.h - one array from a file: IDX or NumPy's .npy, each perhaps gzipped.
 *
 * Which one it is, its first bytes tell. The values come in pieces, in this machine's order, and
 * what the header promises is held against what follows. */
#ifndef SERVER_FILES_ARRAY_FILE_H
#define SERVER_FILES_ARRAY_FILE_H

#include "server/files/array_layout.h"

struct array_file;

/* Reads the header. The file (a regular one) is borrowed and read from its beginning; its own place
 * stays. Takes about 120 KiB, whatever the header says. NULL with the problem set:
 * unsupported_format (neither IDX nor .npy, or a type or an order that is not taken),
 * malformed_data, truncated_data, empty_batch, wrong_shape, too_large (of an array of more than
 * `most_bytes` of values, too). */
struct array_file *array_file_create(int fd, size_t most_bytes, struct problem *problem);
void array_file_destroy(struct array_file *file); /* takes NULL */

/* Borrowed; as long as the file. */
const struct array_layout *array_file_layout(const struct array_file *file);

/* Reads the next whole values, at most `most_bytes` (8 or more); *ret_bytes is 0 at the end, and
 * only a file read up to there is known to be whole. False with the problem set, *ret_bytes
 * untouched and anything in `values`: truncated_data, malformed_data (something follows the array,
 * or the gzipped data are damaged), not_finite. Then the file is only fit to be destroyed. */
bool array_file_read(struct array_file *file, void *values, size_t most_bytes, size_t *ret_bytes,
                     struct problem *problem);

#endif
