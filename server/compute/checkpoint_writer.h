/* checkpoint_writer.h - keeps the checkpoints of a run on a thread of its own, while the run trains
 * on: for the run, a checkpoint takes as long as a copy of its state does. The thread has the
 * priority of the one that begins. */
#ifndef SERVER_COMPUTE_CHECKPOINT_WRITER_H
#define SERVER_COMPUTE_CHECKPOINT_WRITER_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/compute/checkpoint.h"

struct checkpoint_writer {
    int64_t run;
    struct checkpoint checkpoint; /* of the thread, while there is one */
    pthread_t thread;
    bool has_thread;
    int64_t begun_ns;        /* of the monotonic clock */
    _Atomic int64_t took_ns; /* for the thread and the run; 0: the thread goes on */
    atomic_bool is_abandoned;
};

/* Copies the state, and begins to write it; the writer has no thread. What is not written in the
 * end was not wanted: the run keeps the checkpoint that it has. The metrics of all epochs that the
 * state has behind it are in the store. False: there was no memory or no thread. */
bool checkpoint_writer_begin(struct checkpoint_writer *writer, struct store_pool *stores,
                             int64_t run, const struct training_state *state);
/* Whether the thread has ended since the last question. */
bool checkpoint_writer_has_ended(struct checkpoint_writer *writer);
/* Waits for the thread, which drops what is not kept yet. Does nothing without a thread. */
void checkpoint_writer_abandon(struct checkpoint_writer *writer);

#endif
