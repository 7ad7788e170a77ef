/* learner.h - one batch of samples: what a network does with them, how its loss depends on every
 * weight, and the step that follows. training.h makes epochs of it. */
#ifndef CORE_LEARNER_H
#define CORE_LEARNER_H

#include <stddef.h>
#include <stdint.h>

#include "core/network.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/thread_team.h"
#include "core/training.h"

enum { LEARNER_SLOTS_BYTES = 16 * 1024 * 1024 /* of the samples of a batch that are in work */ };

struct learner_options {
    const struct training_params *params;
    const struct encoding *encoding;     /* NULL: the samples are spikes */
    size_t capacity;                     /* the most spikes of a sample */
    size_t batch_size;                   /* the most samples of a batch */
    const struct thread_team *team;      /* may be NULL */
    const struct stop_check *stop_check; /* may be NULL */
};

/* The samples of one step. */
struct batch {
    size_t epoch;            /* from 1 */
    const uint32_t *samples; /* [count] of the training set */
    size_t count;
    double learning_rate;
};

struct learner;
struct learning_block;

/* Steps the weights of the caller's own network. All that it is given is borrowed until its end. */
enum core_status learner_create(struct network *network, const struct learner_options *options,
                                struct learner **ret_learner);
void learner_destroy(struct learner *learner); /* takes NULL */

/* Over the samples of batches, before their steps; see struct reading. */
struct learner_sums {
    double loss;
    size_t decisions;
    size_t correct;
};

/* Learns from a batch of the samples and adds to the sums. CORE_STOPPED: the stop check has ended
 * it before its step. The weights and optimizers are as they were before the batch, but the learner
 * takes no other one, and the sums are of no use. */
enum core_status learner_batch(struct learner *learner, const struct samples *samples,
                               const struct batch *batch, struct learner_sums *sums);

/* The blocks of all layers, one layer after the other; there is at least one. */
size_t learner_block_count(const struct learner *learner);
struct learning_block *learner_block(struct learner *learner, size_t number);

#endif
