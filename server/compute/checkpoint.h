/* checkpoint.h - the state of a run's training on its way into the store and back.
 *
 * The state is collected, by a copy, and written: then all but the last chunk are in the store. A
 * transaction of the store keeps the whole, by checkpoint_end(); afterwards checkpoint_kept() is
 * called, or else checkpoint_discard(). */
#ifndef SERVER_COMPUTE_CHECKPOINT_H
#define SERVER_COMPUTE_CHECKPOINT_H

#include <stdbool.h>

#include "core/stop_check.h"
#include "core/training_state.h"
#include "server/base/buffer.h"
#include "server/store/checkpoints.h"
#include "server/store/pool.h"

enum { CHECKPOINT_CHUNK = 4 * 1024 * 1024 }; /* bytes that one write adds at most */

struct checkpoint {
    struct store_pool *stores; /* borrowed; NULL: nothing is collected */
    struct checkpoint_record record;
    struct buffer rest; /* what is not in the store yet: the state, or its last chunk */
    bool is_uploading;  /* it counts among the uploads of the store */
};

/* Copies the state. False: there was no memory. */
bool checkpoint_collect(struct checkpoint *checkpoint, struct store_pool *stores,
                        const struct training_state *state);
/* Computes the checksum and writes the chunks before any long transaction, from any thread. False:
 * a stop was requested, or the store can't take it now; nothing is left of it. */
bool checkpoint_write(struct checkpoint *checkpoint, const struct stop_check *stop_check);
/* What the store keeps; NULL: nothing is collected. */
const struct checkpoint_end *checkpoint_end(const struct checkpoint *checkpoint,
                                            struct checkpoint_end *end);
void checkpoint_kept(struct checkpoint *checkpoint); /* the caller has the writer */
void checkpoint_discard(struct checkpoint *checkpoint);

/* Restores that of a run. STORE_NOT_FOUND: it has none, and the state is as it was. STORE_CORRUPT:
 * it is damaged, or of another version of the program; after a failure the state is of no use. */
enum store_status checkpoint_restore(struct store_pool *stores, int64_t run,
                                     struct training_state *state);

#endif
