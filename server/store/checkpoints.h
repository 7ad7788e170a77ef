/* checkpoints.h - the state of a run's training, as bytes from which it goes on.
 *
 * The bytes are an array of uint8, which is written chunk by chunk, each in a transaction of its
 * own, so that a large state holds the writer only for moments. The last chunk comes with the
 * transaction that keeps the whole. A run has one checkpoint at most; a new one takes the place of
 * the old one, whose bytes are swept away (store_pool_sweep()) if they are many. */
#ifndef SERVER_STORE_CHECKPOINTS_H
#define SERVER_STORE_CHECKPOINTS_H

#include "server/base/buffer.h"
#include "server/store/arrays.h"
#include "server/store/runs.h"

struct checkpoint_record {
    struct array_record array; /* id 0: no chunk is written yet */
    size_t chunks;             /* written so far */
    int64_t epoch;             /* how many are done */
};

/* Adds a chunk to a checkpoint that is not kept yet. If it never is, it is swept away. */
enum store_status store_checkpoint_append(struct store *store, struct checkpoint_record *record,
                                          const void *bytes, size_t size);

/* A whole one, and its last chunk, that a transaction keeps. */
struct checkpoint_end {
    const struct checkpoint_record *record;
    const void *rest; /* the last chunk */
    size_t rest_bytes;
};
/* Keeps it for a running run, of which the store has the metrics of all epochs that are done. The
 * run has got further: unclean ends are counted anew. */
enum store_status store_checkpoint_keep(struct store *store, int64_t run,
                                        const struct checkpoint_end *end);
/* The same within a transaction of the caller's. */
enum store_status store_checkpoint_put(struct store *store, int64_t run,
                                       const struct checkpoint_end *end);

/* STORE_NOT_FOUND: the run has none. STORE_CORRUPT: its bytes have another checksum. */
enum store_status store_checkpoint_find(struct store *store, int64_t run,
                                        struct checkpoint_record *ret_record);
/* Deletes a damaged one, with all metrics of the run: it begins again. */
enum store_status store_checkpoint_drop(struct store *store, int64_t run);

/* Within a transaction of the caller's: deletes that of a run, or those of the other ended runs of
 * its model. */
enum store_status store_checkpoint_delete(struct store *store, int64_t run);
enum store_status store_checkpoint_delete_older(struct store *store, int64_t run);

#endif
