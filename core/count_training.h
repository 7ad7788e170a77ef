/* count_training.h - fits a model to how often its outputs are to fire in each sample: aggregate
 * labels, which say how many clues there were but not when (Gütig, Science 351, 2016).
 *
 * An output that has fired o times where d were wanted learns from the threshold at which it would
 * gain or lose one spike (critical_threshold.h):
 *
 *     o < d: w <- w + lambda d theta*_(o+1) / dw        o > d: w <- w - lambda d theta*_o / dw
 *
 * summed over a batch and divided by its size. Outputs without an error in a batch don't step,
 * momentum included, as in the paper. An output that can't fire at any threshold learns from the
 * time at which its last input spike's potential peaks.
 *
 * All is in continuous time on [0, T], whatever the tempotron's clock, and bounded: an output's
 * spikes are counted up to a limit. Same model, samples and params: same bits, whatever the team
 * and the processor. */
#ifndef CORE_COUNT_TRAINING_H
#define CORE_COUNT_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/optimizer.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/tempotron.h"
#include "core/thread_team.h"
#include "core/training_loop.h"

/* Sums over samples and their outputs. */
struct count_errors {
    uint64_t counts;  /* outputs of samples */
    uint64_t correct; /* of them, that fired as often as wanted */
    uint64_t error;   /* sum of |o - d| */
};

/* --- step by step, for samples that come one after the other --- */

struct count_trainer_params {
    size_t batch_most;   /* samples of a step, at most */
    size_t capacity;     /* spikes of a sample, at most */
    uint32_t max_spikes; /* that an output's are counted up to; more than any wanted number */
    enum optimizer_type optimizer;
    double momentum;     /* of OPTIMIZER_SGD; the paper's is 0.99 */
    double weight_decay; /* see optimizer.h */
};

struct count_trainer;

/* Trains the caller's own copy in place; it is borrowed, and so is the team, which may be NULL. */
enum core_status count_trainer_create(struct tempotron *tempotron,
                                      const struct count_trainer_params *params,
                                      const struct encoding *encoding,
                                      const struct thread_team *team,
                                      struct count_trainer **ret_trainer);
void count_trainer_destroy(struct count_trainer *trainer); /* takes NULL */

/* One step by a batch, samples[count] of the set: count in 1 .. batch_most. Adds what was wrong
 * before it to the errors. False: the stop_check, which may be NULL, ended it; nothing is learned.
 */
bool count_trainer_step(struct count_trainer *trainer, const struct samples *set,
                        const uint32_t *samples, size_t count, double learning_rate,
                        const struct stop_check *stop_check, struct count_errors *errors);

/* Counts without learning: all samples of a set. False: the stop_check ended it. */
bool count_trainer_evaluate(struct count_trainer *trainer, const struct samples *set,
                            const struct stop_check *stop_check, struct count_errors *ret_errors);

/* --- epochs --- */

struct count_training_params {
    struct training_loop loop;
    uint32_t max_spikes; /* as above */
    enum optimizer_type optimizer;
    double momentum;
    double weight_decay;
};

/* As network_train(): the epochs' loss is the mean of |o - d|, their accuracy the share of counts
 * that are exactly right, over samples and outputs. */
enum core_status tempotron_train_counts(struct tempotron *tempotron, const struct samples *training,
                                        const struct samples *validation,
                                        const struct encoding *encoding,
                                        const struct count_training_params *params,
                                        const struct training_observer *observer,
                                        const struct thread_team *team);

#endif
