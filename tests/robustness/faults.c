/* faults.c - loaded before a program's libraries (LD_PRELOAD): the n-th call of a kind fails, and
 * perhaps every later one. What fails, and when, stands in the file that FAULTS names, which both
 * the program and the script that runs it have mapped; see support/faults.py.
 *
 * Calls that would write, read or sync fail only on regular files: never on sockets and the log. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum fault { FAULT_NONE, FAULT_MALLOC, FAULT_WRITE, FAULT_SYNC, FAULT_READ, FAULT_OPEN };

struct faults {
    atomic_int kind;
    atomic_int is_persistent;
    atomic_llong until; /* calls of the kind up to the one that fails */
    atomic_llong failed;
};

static struct faults *faults;

/* Before the real functions are known, dlsym() itself asks for memory. */
static char early[65536];
static size_t early_size;

static void *early_memory(size_t size)
{
    void *memory = early + early_size;
    early_size += (size + 15) / 16 * 16;
    return early_size <= sizeof early ? memory : NULL;
}

static bool is_early(const void *memory)
{
    return (uintptr_t)memory - (uintptr_t)early < sizeof early;
}

static struct {
    void *(*malloc)(size_t);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
    void (*free)(void *);
    ssize_t (*write)(int, const void *, size_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    ssize_t (*pread)(int, void *, size_t, off_t);
    int (*ftruncate)(int, off_t);
    int (*fsync)(int);
    int (*fdatasync)(int);
    int (*open)(const char *, int, ...);
    int (*pthread_getattr_np)(pthread_t, pthread_attr_t *);
} real;

static void find(const char *name, void *ret_function)
{
    void *function = dlsym(RTLD_NEXT, name);
    memcpy(ret_function, &function, sizeof function);
}

static void find_all(void)
{
    static bool is_finding;
    if (is_finding || real.open != NULL)
        return;
    is_finding = true;
    find("calloc", &real.calloc);
    find("malloc", &real.malloc);
    find("realloc", &real.realloc);
    find("aligned_alloc", &real.aligned_alloc);
    find("posix_memalign", &real.posix_memalign);
    find("free", &real.free);
    find("write", &real.write);
    find("pwrite", &real.pwrite);
    find("pread", &real.pread);
    find("ftruncate", &real.ftruncate);
    find("fsync", &real.fsync);
    find("fdatasync", &real.fdatasync);
    find("pthread_getattr_np", &real.pthread_getattr_np);
    find("open", &real.open);
}

__attribute__((constructor)) static void map_faults(void)
{
    find_all();
    const char *path = getenv("FAULTS");
    const int file = path != NULL ? real.open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *map = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map != MAP_FAILED)
        faults = map;
}

/* A thread that asks for its stack: only sanitizers do, and they end the program if they can't. */
static _Thread_local bool is_spared;

static bool fails(enum fault kind, int error)
{
    if (faults == NULL || is_spared || atomic_load(&faults->kind) != (int)kind)
        return false;
    const long long left = atomic_fetch_sub(&faults->until, 1);
    if (left > 1 || (left < 1 && !atomic_load(&faults->is_persistent)))
        return false;
    atomic_fetch_add(&faults->failed, 1);
    errno = error;
    return true;
}

static bool file_fails(enum fault kind, int file, int error)
{
    struct stat status;
    return faults != NULL && atomic_load(&faults->kind) == (int)kind && fstat(file, &status) == 0 &&
           S_ISREG(status.st_mode) && fails(kind, error);
}

/* --- memory --- */

void *malloc(size_t size)
{
    if (real.malloc == NULL)
        find_all();
    if (real.malloc == NULL)
        return early_memory(size);
    return fails(FAULT_MALLOC, ENOMEM) ? NULL : real.malloc(size);
}

void *calloc(size_t count, size_t size)
{
    if (real.calloc == NULL)
        find_all();
    if (real.calloc == NULL)
        return early_memory(count * size);
    return fails(FAULT_MALLOC, ENOMEM) ? NULL : real.calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    if (real.realloc == NULL)
        find_all();
    if (fails(FAULT_MALLOC, ENOMEM))
        return NULL;
    if (!is_early(memory))
        return real.realloc(memory, size);
    void *moved = real.malloc(size);
    if (moved != NULL)
        memcpy(moved, memory, size);
    return moved;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    if (real.aligned_alloc == NULL)
        find_all();
    return fails(FAULT_MALLOC, ENOMEM) ? NULL : real.aligned_alloc(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
    if (real.posix_memalign == NULL)
        find_all();
    return fails(FAULT_MALLOC, ENOMEM) ? ENOMEM : real.posix_memalign(ret_memory, alignment, size);
}

void free(void *memory)
{
    if (!is_early(memory) && memory != NULL)
        real.free(memory);
}

int pthread_getattr_np(pthread_t thread, pthread_attr_t *attributes)
{
    is_spared = true;
    const int error = real.pthread_getattr_np(thread, attributes);
    is_spared = false;
    return error;
}

/* --- files --- */

ssize_t write(int file, const void *bytes, size_t size)
{
    return file_fails(FAULT_WRITE, file, ENOSPC) ? -1 : real.write(file, bytes, size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset)
{
    return file_fails(FAULT_WRITE, file, ENOSPC) ? -1 : real.pwrite(file, bytes, size, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(file, bytes, size, offset);
}

ssize_t pread(int file, void *bytes, size_t size, off_t offset)
{
    return file_fails(FAULT_READ, file, EIO) ? -1 : real.pread(file, bytes, size, offset);
}

ssize_t pread64(int file, void *bytes, size_t size, off64_t offset)
{
    return pread(file, bytes, size, offset);
}

int ftruncate(int file, off_t size)
{
    return file_fails(FAULT_WRITE, file, EIO) ? -1 : real.ftruncate(file, size);
}

int ftruncate64(int file, off64_t size)
{
    return ftruncate(file, size);
}

int fsync(int file)
{
    return file_fails(FAULT_SYNC, file, EIO) ? -1 : real.fsync(file);
}

int fdatasync(int file)
{
    return file_fails(FAULT_SYNC, file, EIO) ? -1 : real.fdatasync(file);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    if (real.open == NULL)
        find_all();
    return fails(FAULT_OPEN, EMFILE) ? -1 : real.open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open(path, flags, mode);
}
