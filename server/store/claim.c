#include "server/store/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/named_file.h"

static enum store_status lock_file(int file)
{
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return STORE_OK;
    return errno == EWOULDBLOCK ? STORE_LOCKED : STORE_UNAVAILABLE;
}

static enum store_status open_locked(const char *path, int *ret_file)
{
    const int file = named_file_open(path, O_RDWR | O_CREAT, INT64_MAX);
    if (file < 0)
        return errno == 0 ? STORE_NO_FILE : STORE_UNAVAILABLE;
    const enum store_status status = lock_file(file);
    if (status == STORE_OK) {
        *ret_file = file;
        return STORE_OK;
    }
    const int error = errno;
    close(file);
    errno = error;
    return status;
}

/* The database comes first: only links to a file that is there can be followed. */
enum store_status claim_take(const char *path, struct claim *ret_claim)
{
    char *lock_path;
    struct claim claim = {.lock = -1, .file = -1, .log = -1};
    enum store_status status = open_locked(path, &claim.file);
    if (status != STORE_OK)
        return status;
    char *real = realpath(path, NULL);
    const int length = asprintf(&lock_path, "%s.lock", real != NULL ? real : path);
    free(real);
    status = length < 0 ? STORE_NO_MEMORY : open_locked(lock_path, &claim.lock);
    if (length >= 0)
        free(lock_path);
    if (status == STORE_OK)
        *ret_claim = claim;
    else
        claim_release(&claim);
    return status;
}

static bool is_empty(int file)
{
    struct stat about;
    return fstat(file, &about) == 0 && about.st_size == 0;
}

bool claim_is_empty(const struct claim *claim)
{
    return is_empty(claim->file);
}

bool claim_was_released(const struct claim *claim)
{
    return is_empty(claim->lock);
}

void claim_mark(struct claim *claim)
{
    claim->is_marked = pwrite(claim->lock, "+", 1, 0) == 1;
}

void claim_release(const struct claim *claim)
{
    const int error = errno;
    if (claim->is_marked && ftruncate(claim->lock, 0) != 0)
        errno = error; /* the mark stays: the end passes for one out of order */
    if (claim->lock >= 0)
        close(claim->lock);
    if (claim->file >= 0)
        close(claim->file);
    if (claim->log >= 0)
        close(claim->log);
    errno = error;
}

enum store_status claim_watch_log(struct claim *claim, const char *path)
{
    claim->log = named_file_open(path, O_RDONLY, INT64_MAX);
    return claim->log >= 0 ? STORE_OK : STORE_UNAVAILABLE;
}

static bool leads_to(const char *path, int file)
{
    struct stat held, found;
    return fstat(file, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev &&
           held.st_ino == found.st_ino;
}

/* One that was cut has zeros there after the next write. See SQLite's description of the format. */
static bool has_head(int log)
{
    unsigned char magic[4];
    const ssize_t size = pread(log, magic, sizeof magic, 0);
    return size == 0 || (size == sizeof magic && magic[0] == 0x37 && magic[1] == 0x7f &&
                         magic[2] == 0x06 && (magic[3] | 1) == 0x83);
}

bool claim_is_in_place(const struct claim *claim, const char *path, const char *log_path)
{
    return leads_to(path, claim->file) && leads_to(log_path, claim->log) && has_head(claim->log);
}
