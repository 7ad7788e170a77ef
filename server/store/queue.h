/* queue.h - the queue of runs, from which workers claim. */
#ifndef SERVER_STORE_QUEUE_H
#define SERVER_STORE_QUEUE_H

#include "server/store/data_source.h"
#include "server/store/runs.h"

/* Queues a run. Equal samples (by their SHA-256, which the sources have) are stored once, whatever
 * the number of runs; the sources learn their row. STORE_NOT_FOUND (the model), STORE_MISMATCH (the
 * dataset has been replaced or deleted), STORE_QUEUE_FULL, STORE_MODEL_QUEUE_FULL. `memory` are the
 * bytes that it is counted with while it runs. */
enum store_status store_queue_insert(struct store *store, int64_t model, const char *params,
                                     int64_t epochs, size_t memory, struct data_source *training,
                                     struct data_source *validation, int64_t now, int64_t *ret_run);
/* On start: running runs become queued again. They go on from their checkpoint, or begin again:
 * later metrics go, base_version stays. Those whose cancellation was asked for become cancelled;
 * those that were running at LIMIT_CRASHES unclean ends in a row, and got no further in between,
 * fail as `crashed`. A process that has ended in order, and could not queue its runs as the disk
 * was full, counts as a stop. */
enum store_status store_queue_take_up(struct store *store, int64_t now);
/* A running run, or with 0 each of them, is to go on from its checkpoint, or begin again: later
 * metrics go. */
enum store_status store_queue_rewind(struct store *store, int64_t run);
/* A clean stop interrupts a running run: it becomes queued, with what it goes on from after the
 * next start (NULL: its last checkpoint, or from its beginning) and its metrics until then. */
enum store_status store_queue_return(struct store *store, int64_t run,
                                     const struct epoch_metrics *metrics, size_t count,
                                     const struct checkpoint_end *checkpoint);

/* How an ended run goes on: as a new run, with parameters of its own. */
struct resumption {
    const char *params; /* JSON text */
    int64_t epochs;     /* in all */
};
/* Queues a run that goes on from an ended one, with its samples, base version and metrics. It takes
 * the checkpoint over, so that it may begin again if that is damaged. STORE_NOT_FOUND, STORE_IN_USE
 * (the run has not ended), STORE_ENDED (it has no checkpoint any more), STORE_MISMATCH (a dataset
 * has been replaced or deleted), STORE_QUEUE_FULL. */
enum store_status store_queue_resume(struct store *store, int64_t run,
                                     const struct resumption *resumption, int64_t now,
                                     int64_t *ret_run);
/* Claims a queued run whose model trains no other: it is running from now on, and its base_version
 * is set unless it was before. Models take turns, and the runs of each go by age. STORE_NOT_FOUND:
 * there is nothing to do. STORE_NO_ROOM: takes() has refused the run's memory, and it waits; no
 * other run takes its turn. If the claim fails after takes() has agreed, the caller gives the
 * memory back. */
enum store_status store_queue_claim(struct store *store, int64_t now,
                                    bool (*takes)(void *context, size_t memory), void *context,
                                    struct run_record *ret_record);
/* Asks for a cancellation: a queued run is cancelled at once (*ret_state says so), a running one is
 * marked. STORE_ENDED. */
enum store_status store_queue_cancel(struct store *store, int64_t run, int64_t now,
                                     enum run_state *ret_state);
/* Whether a cancellation was asked for: STORE_OK, or STORE_NOT_FOUND. As long as the caller has the
 * writer, it stays so. */
enum store_status store_queue_is_cancelled(struct store *store, int64_t run);

#endif
