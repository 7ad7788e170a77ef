/* queue.h - the queue of runs, from which workers claim. */
#ifndef SERVER_STORE_QUEUE_H
#define SERVER_STORE_QUEUE_H

#include "server/store/data_source.h"
#include "server/store/runs.h"

/* Queues a run. Equal samples (by their SHA-256) are stored once, whatever the number of runs; the
 * sources learn their row and checksum. STORE_NOT_FOUND (the model), STORE_MISMATCH (the dataset
 * has been replaced or deleted), STORE_QUEUE_FULL. */
enum store_status store_queue_insert(struct store *store, int64_t model, const char *params,
                                     int64_t epochs, struct data_source *training,
                                     struct data_source *validation, int64_t now, int64_t *ret_run);
/* On start: running runs become queued again, from their beginning (their metrics go, base_version
 * stays); those whose cancellation was asked for become cancelled. */
enum store_status store_queue_take_up(struct store *store, int64_t now);
/* Claims the oldest queued run whose model trains no other: it is running from now on, and its
 * base_version is set unless it was before. STORE_NOT_FOUND: there is nothing to do. */
enum store_status store_queue_claim(struct store *store, int64_t now,
                                    struct run_record *ret_record);
/* Asks for a cancellation: a queued run is cancelled at once (*ret_state says so), a running one is
 * marked. STORE_ENDED. */
enum store_status store_queue_cancel(struct store *store, int64_t run, int64_t now,
                                     enum run_state *ret_state);

#endif
