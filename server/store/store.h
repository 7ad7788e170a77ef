/* store.h - a database of models, versions, runs and datasets: opening, closing, and how a call
 * went.
 *
 * A store is one connection with its prepared statements, used by one thread at a time. There is
 * exactly one writer: no other connection commits, or writes the WAL back; readers are read-only.
 * Every call is one transaction, unless its header says that it is a part of the caller's: it has
 * happened wholly and durably, or not at all. Times are milliseconds since 1970 UTC. Outputs are
 * untouched on failure. Only this folder knows that it is SQLite. */
#ifndef SERVER_STORE_STORE_H
#define SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/stop_check.h"

enum store_status {
    STORE_OK,
    STORE_NOT_FOUND, /* the model, version, run or dataset that the call names is not there */
    STORE_TAKEN,     /* the id is taken */
    STORE_IN_USE,    /* a run of the model, or one that uses the dataset, is queued or running */
    STORE_MISMATCH,  /* a dataset would have different numbers of samples and labels, or is not the
                        one that the call means */
    STORE_OTHER_REQUEST,    /* the key of a retry came with another request before */
    STORE_CHANGED,          /* it is not as the caller has seen it */
    STORE_ENDED,            /* the run has ended already */
    STORE_QUEUE_FULL,       /* LIMIT_QUEUED_RUNS runs wait */
    STORE_MODEL_QUEUE_FULL, /* LIMIT_QUEUED_RUNS_OF_MODEL runs of the model wait */
    STORE_NO_ROOM,          /* a run has to wait for memory */
    STORE_STOPPED,          /* the caller has asked for it */
    STORE_NO_MEMORY,
    STORE_FULL,        /* the disk or the quota is full */
    STORE_UNAVAILABLE, /* an I/O error, busy with another program, or can't be opened */
    STORE_LOCKED,      /* another tempotrond has it */
    STORE_CORRUPT,     /* a damaged row, or a checksum that does not match */
    STORE_BROKEN,      /* damaged pages: any row may be concerned */
    STORE_NO_FILE,     /* a directory, pipe or device in the place of a file, */
    STORE_NO_LOG_FILE, /* or in that of a log or -shm beside it */
    STORE_UNFINISHED,  /* a write to it was cut off, and has to be undone first */
    STORE_FOREIGN,     /* not a database of tempotrond */
    STORE_NEWER,       /* a database of a newer tempotrond */
    STORE_ALTERED      /* its tables or triggers are not those that its migrations make */
};

/* STORE_CORRUPT or STORE_BROKEN. */
bool store_status_is_damage(enum store_status status);
const char *store_status_text(enum store_status status); /* for the log and the start-up message */

struct store;

/* Why the last call failed, as errno; 0: the system had no reason. */
int store_system_error(const struct store *store);

/* Opens for writing: creates the file if it is absent, claims it so that no second tempotrond
 * writes to it, looks at its schema, and migrates it. STORE_UNAVAILABLE: errno says why, or is 0.
 */
enum store_status store_open_writer(const char *path, struct store **ret_store);
/* Opens read-only; a writer has to have opened it before. */
enum store_status store_open_reader(const char *path, struct store **ret_store);
/* Opens read-only what may be a copy that no server has opened, and looks at its schema.
 * STORE_UNAVAILABLE: errno says why, or is 0. */
enum store_status store_open_copy(const char *path, struct store **ret_store);
/* Whether the writer's file and its log are still those at their paths: neither deleted nor
 * replaced, and the log not cut. */
bool store_is_in_place(const struct store *store);
/* The writer no longer writes its log back into the file, even when it closes: the file stays as it
 * was, and the next start reads what it can of the log. */
void store_keep_file(struct store *store);
/* The writer's file may not grow beyond this: STORE_FULL. Deleting works all the same. */
enum store_status store_limit(struct store *store, size_t max_bytes);
/* Writes durably what changes nothing, to find out whether the disk works. */
enum store_status store_probe(struct store *store);
/* The writer checkpoints. Takes NULL. */
void store_close(struct store *store);

/* From now on each call ends with STORE_STOPPED if a stop is requested. NULL: none does. The stop
 * check is borrowed. */
void store_set_stop_check(struct store *store, const struct stop_check *stop_check);

/* Between these two a reader sees the database as it was at its first read, whatever is written
 * meanwhile. */
enum store_status store_snapshot_begin(struct store *store);
void store_snapshot_end(struct store *store);

#endif
