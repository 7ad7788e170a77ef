/* pool.h - lends stores to threads: the one writer, and readers made as they are needed. */
#ifndef SERVER_STORE_POOL_H
#define SERVER_STORE_POOL_H

#include <stdbool.h>

#include "server/store/store.h"

struct store_pool;

/* Opens the writer (which migrates). */
enum store_status store_pool_create(const char *path, struct store_pool **ret_pool);
void store_pool_destroy(struct store_pool *pool); /* every store must be back; takes NULL */

/* The writer; waits until no other thread has it, and those that waited before have had it. */
struct store *store_pool_borrow_writer(struct store_pool *pool);
/* Gives the writer back and keeps how its write went, for store_pool_is_broken(). Returns the
 * status. */
enum store_status store_pool_return_writer(struct store_pool *pool, enum store_status status);
/* A reader: an idle one, or a new one. */
enum store_status store_pool_borrow_reader(struct store_pool *pool, struct store **ret_store);
void store_pool_return_reader(struct store_pool *pool, struct store *store);

/* The uploads of arrays. They belong to the thread that has the writer. */
struct uploads {
    unsigned going_on; /* begun, and neither published nor deleted */
};
struct uploads *store_pool_uploads(struct store_pool *pool);

/* Deletes what belongs to nothing, piece by piece, so that other threads have the writer in
 * between: versions, metrics, samples, and arrays unless some are uploaded. The caller does not
 * have the writer. */
void store_pool_sweep(struct store_pool *pool);

/* The process stops: sweeps end after the present piece, and what they leave is swept after the
 * next start. From any thread. */
void store_pool_interrupt(struct store_pool *pool);

/* The disk may not work, as something else could not be written beside the database. From any
 * thread. */
void store_pool_doubt(struct store_pool *pool);

/* Whether the file at the path is still the one that was opened. */
bool store_pool_is_in_place(const struct store_pool *pool);

/* Whether a write has met damaged pages since the start. A write that meets none says nothing of
 * the others. */
bool store_pool_is_damaged(const struct store_pool *pool);

/* Whether the disk is in doubt, or the last write failed for want of a working disk (FULL,
 * UNAVAILABLE, CORRUPT): the service is not ready then. Tries a write before it says so, unless the
 * writer is lent. */
bool store_pool_is_broken(struct store_pool *pool);

#endif
