/* backup.h - copies of a whole database, and whether all that one holds can be believed. */
#ifndef SERVER_STORE_BACKUP_H
#define SERVER_STORE_BACKUP_H

#include <stdbool.h>

#include "server/store/store.h"

/* Writes a copy of what the store has at this moment to a new file, durably: the file is there
 * wholly or not at all. Others write meanwhile. STORE_TAKEN: there is such a file. errno may say
 * why the file can't be written. */
enum store_status store_backup(struct store *store, const char *file);

/* Makes such a copy beside the database, in a file that has no name any more when it is opened:
 * close() it, and it is gone. It is not synced. One call at a time. STORE_FULL: nothing of it
 * remains. */
enum store_status store_backup_open(struct store *store, int *ret_file);
/* Removes what a crash has left of such a copy. The caller has the writer of the database at
 * `path`. */
enum store_status store_backup_sweep(const char *path);

/* What a check has found to be damaged; `what` is borrowed, e.g. "dataset digits". */
typedef void store_backup_finding(void *context, const char *what, const char *why);

/* Checks the pages, the references, and every row, array and set of samples by its checksum. Calls
 * found() for each that is damaged. Another status than STORE_OK: the check could not end. */
enum store_status store_backup_check(struct store *store, store_backup_finding *found,
                                     void *context);

/* Puts a copy into the place of the database at `path`, and keeps what was there as `aside`, if
 * there was something. STORE_LOCKED: a server uses it. STORE_TAKEN: `aside` exists. */
enum store_status store_backup_restore(const char *file, const char *path, const char *aside);

#endif
