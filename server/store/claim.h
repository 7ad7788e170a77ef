/* claim.h - keeps a second tempotrond off a database: by a lock on FILE.lock, beside the file that
 * all symbolic links lead to, and by one on the file itself, which holds for every hard link to it
 * and after it was renamed.
 *
 * A program claims the file before it opens it with SQLite, and gives the claim up after it has
 * closed it: closing any descriptor of a file gives up the locks that SQLite has on it in this
 * process. */
#ifndef SERVER_STORE_CLAIM_H
#define SERVER_STORE_CLAIM_H

#include <stdbool.h>

#include "server/store/store.h"

/* FILE.lock has a byte while a process that uses the database may end out of order, and is empty
 * after one that has ended in order: that can be noted on a full disk too. */
struct claim {
    int lock;       /* FILE.lock; -1: no claim */
    int file;       /* the database; likewise */
    int log;        /* FILE-wal, once it is watched; else -1 */
    bool is_marked; /* the lock has its byte from this process */
};

/* Creates the file if it is absent: an empty file is an empty database. STORE_LOCKED: another one
 * has it. */
enum store_status claim_take(const char *path, struct claim *ret_claim);
/* Whether the database has nothing at all. */
bool claim_is_empty(const struct claim *claim);
/* Whether the last process that has marked its claim has released it. */
bool claim_was_released(const struct claim *claim);
/* Marks the claim; if the disk has no room for that, an end out of order passes for one in order.
 */
void claim_mark(struct claim *claim);
/* Does nothing if there is no claim. */
void claim_release(const struct claim *claim);
/* From now on the write-ahead log, which has to be there, is watched too. */
enum store_status claim_watch_log(struct claim *claim, const char *path);
/* Whether the paths still lead to the file that is claimed, and to a log with a head. */
bool claim_is_in_place(const struct claim *claim, const char *path, const char *log_path);

#endif
