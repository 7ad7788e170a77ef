/* learner.h - one batch of samples: what a network does with them, how its loss depends on every
 * weight, and the step that follows. training.h makes epochs of it. */
#ifndef CORE_LEARNER_H
#define CORE_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crew.h"
#include "network.h"
#include "sample_set.h"
#include "status.h"
#include "training.h"
#include "watch.h"

struct learner;

/* Steps the weights of the caller's own network. All that it is given is borrowed until its end;
 * crew and watch may be NULL. */
enum core_status learner_create(struct network *network, const struct sample_set *training,
                                const struct training_params *params, const struct crew *crew,
                                const struct watch *watch, struct learner **ret_learner);
void learner_destroy(struct learner *learner); /* takes NULL */

/* Over the samples of batches, before their steps. */
struct batch_sums {
    size_t count;
    double loss;
    size_t correct;
};

/* Learns from a batch and adds to the sums. CORE_STOPPED where the watch ended it, in the middle of
 * whatever it was doing: the weights are then of no use. */
enum core_status learner_batch(struct learner *learner, const struct batch *batch,
                               struct batch_sums *sums);

#endif
