/* named_file.h - files that a person names: keys, certificates, databases. */
#ifndef SERVER_BASE_NAMED_FILE_H
#define SERVER_BASE_NAMED_FILE_H

#include <stdint.h>

enum { NAMED_FILE_TEXT = 1 << 20 /* bytes of a key file, a certificate, or its key */ };

/* Opens a regular file of at most max_bytes, with the flags of open(); one that it creates is its
 * owner's. It never waits: a pipe in the place of a file could hold up the process, and a device
 * could fill it. Returns the descriptor; or -1 with errno, which is 0 if it is not a regular file.
 */
int named_file_open(const char *path, int flags, int64_t max_bytes);

/* What errno says then. */
const char *named_file_error(int error);

#endif
