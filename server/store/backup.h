/* backup.h - copies of a whole database, and whether all that one holds can be believed. */
#ifndef SERVER_STORE_BACKUP_H
#define SERVER_STORE_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/stop_check.h"
#include "server/store/store.h"

/* Writes a copy of what the store has at this moment to a new file, durably: the file is there
 * wholly or not at all. Others write meanwhile. STORE_TAKEN: there is such a file. errno may say
 * why the file can't be written. */
enum store_status store_backup(struct store *store, const char *file);

/* Makes such a copy beside the database, in a file that has no name any more when it is opened:
 * close() it, and it is gone. It is not synced. One call at a time. STORE_FULL, STORE_STOPPED:
 * nothing of it remains. */
enum store_status store_backup_open(struct store *store, const struct stop_check *stop_check,
                                    int *ret_file);
/* Removes what a crash has left of such a copy. The caller has the writer of the database at
 * `path`. */
enum store_status store_backup_sweep(const char *path);

/* What a check needs to know, and whom it tells. */
struct store_backup_checker {
    /* Whether a version can be served: the store does not know what weights are of which layer, or
     * how they follow from a seed. STORE_CORRUPT. */
    enum store_status (*try_version)(struct store *store, const char *model, int64_t version);
    /* Something is damaged; `what` is borrowed, e.g. "dataset digits". */
    void (*found)(void *context, const char *what, const char *why);
    void *context;
};

/* Checks the pages, the references, and every row, version, array and set of samples by its
 * checksum. What belongs to nothing until it is swept away is no damage. Another status than
 * STORE_OK: the check could not end. */
enum store_status store_backup_check(struct store *store,
                                     const struct store_backup_checker *checker);

/* Puts a copy into the place of the database at `path`, or of that which this link leads to. What
 * was there is kept, with the suffix after its name: *ret_aside, free(). That stays as it is if
 * there was nothing. STORE_LOCKED: a server uses it. STORE_TAKEN: there is such a file. */
enum store_status store_backup_restore(const char *file, const char *path, const char *suffix,
                                       char **ret_aside);

#endif
