/* learner.h - one batch of samples: what a network does with them, how its loss depends on every
 * weight, and the step that follows. training.h makes epochs of it. */
#ifndef CORE_LEARNER_H
#define CORE_LEARNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/network.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/thread_team.h"
#include "core/training.h"

struct learner;

/* Steps the weights of the caller's own network. All that it is given is borrowed until its end;
 * team and stop_check may be NULL. */
enum core_status learner_create(struct network *network, const struct samples *training,
                                const struct encoding *encoding,
                                const struct training_params *params,
                                const struct thread_team *team, const struct stop_check *stop_check,
                                struct learner **ret_learner);
void learner_destroy(struct learner *learner); /* takes NULL */

/* Over the samples of batches, before their steps. */
struct batch_sums {
    size_t count;
    double loss;
    size_t correct;
};

/* Learns from a batch and adds to the sums. CORE_STOPPED where the stop_check ended it, in the
 * middle of whatever it was doing: the weights are then of no use. */
enum core_status learner_batch(struct learner *learner, const struct batch *batch,
                               struct batch_sums *sums);

#endif
