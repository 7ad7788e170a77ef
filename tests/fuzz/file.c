#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

int fuzz_file(const uint8_t *data, size_t size)
{
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    demand(fd >= 0);
    demand(size == 0 || write(fd, data, size) == (ssize_t)size);
    return fd;
}
