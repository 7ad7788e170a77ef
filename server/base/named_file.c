#include "server/base/named_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* As errno; 0: nothing is wrong with it. */
static int fault_of(int file, int64_t max_bytes, bool *ret_is_regular)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return errno;
    *ret_is_regular = S_ISREG(about.st_mode);
    if (S_ISDIR(about.st_mode))
        return EISDIR;
    return *ret_is_regular && about.st_size > max_bytes ? EFBIG : 0;
}

int named_file_open(const char *path, int flags, int64_t max_bytes)
{
    bool is_regular = false;
    const int file = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0)
        return -1;
    const int fault = fault_of(file, max_bytes, &is_regular);
    if (is_regular && fault == 0)
        return file;
    close(file);
    errno = fault;
    return -1;
}

const char *named_file_error(int error)
{
    return error != 0 ? strerror(error) : "it is not a regular file";
}
