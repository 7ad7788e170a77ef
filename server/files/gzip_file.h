/* gzip_file.h - a file's bytes from its beginning, inflated if it is gzipped. */
#ifndef SERVER_FILES_GZIP_FILE_H
#define SERVER_FILES_GZIP_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/base/problem.h"

struct gzip_file;

/* Reads a regular file, which is borrowed and whose offset does not move. Takes about 100 KiB of
 * memory, whatever the file holds. NULL: the problem is set. */
struct gzip_file *gzip_file_create(int fd, struct problem *problem);
void gzip_file_destroy(struct gzip_file *file); /* takes NULL */

/* Fills `bytes` with the next `size`; *ret_size is less only at the file's end. Inflates no more
 * than it is asked for. False with the problem set, *ret_size untouched: truncated_data (a gzip
 * stream ends too early), malformed_data (it is damaged, or followed by something else). */
bool gzip_file_read(struct gzip_file *file, void *bytes, size_t size, size_t *ret_size,
                    struct problem *problem);

#endif
