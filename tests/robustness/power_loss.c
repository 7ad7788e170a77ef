/* power_loss.c - loaded before a program's libraries (LD_PRELOAD): a VFS around SQLite's own that
 * notes, in the journal that POWER_JOURNAL names, each write to a database or its log, and each
 * sync, after it has succeeded. From the journal and the files as they were at first, the script
 * builds what a disk may hold after a loss of power at any moment: see support/power_loss.py.
 *
 * A record is a struct record, and what was written. The order of records is that of the calls. */
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum record_kind { RECORD_WRITE = 1, RECORD_TRUNCATE, RECORD_SYNC, RECORD_DELETE };
enum file_kind { FILE_OTHER, FILE_DATABASE, FILE_LOG };

struct record {
    uint32_t kind, file;
    uint64_t offset, size;
};

struct file {
    sqlite3_file base;
    enum file_kind kind;
    sqlite3_file real[]; /* of SQLite's own VFS, which says how large it is */
};

static sqlite3_vfs *own;
static int journal = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void note(enum record_kind kind, enum file_kind file, int64_t offset, const void *bytes,
                 size_t size)
{
    struct record record = {kind, file, (uint64_t)offset, size};
    const struct iovec parts[] = {{&record, sizeof record}, {(void *)(uintptr_t)bytes, size}};
    if (file == FILE_OTHER)
        return;
    pthread_mutex_lock(&lock);
    if (writev(journal, parts, 2) != (ssize_t)(sizeof record + size))
        abort();
    pthread_mutex_unlock(&lock);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static enum file_kind kind_of(const sqlite3_file *file)
{
    return ((const struct file *)file)->kind;
}

/* --- what changes a file --- */

static int write_file(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    note(RECORD_WRITE, kind_of(file), offset, bytes, (size_t)size);
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    note(RECORD_TRUNCATE, kind_of(file), size, NULL, 0);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    const int result = real_of(file)->pMethods->xSync(real_of(file), flags);
    if (result == SQLITE_OK)
        note(RECORD_SYNC, kind_of(file), 0, NULL, 0);
    return result;
}

/* --- what is passed on --- */

static int close_file(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int read_file(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, offset);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int lock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int unlock_file(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int check_lock(sqlite3_file *file, int *ret_is_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_is_locked);
}

static int control_file(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int map_shared(sqlite3_file *file, int page, int size, int extend, void volatile **ret_map)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret_map);
}

static int lock_shared(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void order_shared(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int unmap_shared(sqlite3_file *file, int is_deleted)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), is_deleted);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = order_shared,
    .xShmUnmap = unmap_shared,
};

/* --- the VFS --- */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                     int *ret_flags)
{
    (void)vfs;
    ((struct file *)file)->kind = (flags & SQLITE_OPEN_MAIN_DB) != 0 ? FILE_DATABASE
                                  : (flags & SQLITE_OPEN_WAL) != 0   ? FILE_LOG
                                                                     : FILE_OTHER;
    const int result = own->xOpen(own, name, real_of(file), flags, ret_flags);
    file->pMethods = real_of(file)->pMethods != NULL ? &methods : NULL;
    return result;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int is_synced)
{
    (void)vfs;
    const size_t size = strlen(name);
    if (size > 4 && strcmp(name + size - 4, "-wal") == 0)
        note(RECORD_DELETE, FILE_LOG, is_synced, NULL, 0);
    return own->xDelete(own, name, is_synced);
}

__attribute__((constructor)) static void become_default(void)
{
    static sqlite3_vfs vfs;
    const char *path = getenv("POWER_JOURNAL");
    if (path == NULL)
        return;
    journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    sqlite3_initialize();
    own = sqlite3_vfs_find(NULL);
    vfs = *own;
    vfs.zName = "power_loss";
    vfs.szOsFile = (int)offsetof(struct file, real) + own->szOsFile;
    vfs.xOpen = open_file;
    vfs.xDelete = delete_file;
    if (journal < 0 || sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
        abort();
}
