/* run.h - one run, from its samples to the version that it publishes: loads the samples, sets the
 * validation share aside, fits the encoder, trains a private copy of the base version. job.h says
 * when, and trainer.h in which thread. */
#ifndef SERVER_COMPUTE_RUN_H
#define SERVER_COMPUTE_RUN_H

#include "core/training.h"
#include "server/compute/run_params.h"
#include "server/model/model.h"
#include "server/model/version_ranges.h"
#include "server/model/weights.h"
#include "server/store/runs.h"

struct model_cache;
struct store_pool;

struct run {
    const struct run_record *record; /* borrowed */
    struct model *base;              /* whose weights it starts from */
    struct run_params params;
    struct samples given[2];   /* for training and, if there are some, for validation; owned */
    uint32_t *shares;          /* of the samples for training, if a share is set aside; owned */
    struct samples training;   /* a view, once they are loaded */
    struct samples validation; /* likewise; count 0: none */
    struct encoder fitted;     /* to the training samples, if the run fits its encoder, and */
    struct encoding fitted_encoding;
    const struct encoding *encoding; /* that the samples go through: this one, or the base's */
    struct thread_team *team;
    struct network *network; /* the private copy */
};

/* Loads all that training needs; `threads` share the work. STORE_OK with the problem set: the
 * samples cannot be trained on. STORE_STOPPED: a stop was requested. Free with run_unload() in any
 * case. */
enum store_status run_load(struct run *run, const struct run_record *record,
                           struct store_pool *stores, struct model_cache *cache, unsigned threads,
                           const struct stop_check *stop_check, struct problem *problem);
void run_unload(struct run *run); /* does nothing on a zeroed one */

enum core_status run_train(struct run *run, const struct training_observer *observer);

/* What a version keeps of the run as it is now. It points into itself, and borrows from the run. */
struct run_snapshot {
    struct weights weights; /* owned */
    struct tensor tensors[NETWORK_LAYERS + RANGE_TENSORS];
    struct sealed_tensors sealed; /* count 0: it is not taken */
};
/* Copies the weights and computes their checksum, before the writer is borrowed. False: no memory.
 */
bool run_snapshot_take(const struct run *run, struct run_snapshot *snapshot);
void run_snapshot_finish(struct run_snapshot *snapshot); /* does nothing on a zeroed one */
/* Keeps the weights of an epoch as a version that is not served. */
enum store_status run_keep(const struct run *run, struct store_pool *stores, int64_t epoch);

#endif
