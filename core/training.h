/* training.h - fits a model to labelled samples: epochs of shuffled mini-batches.
 *
 * Same model, samples and params: same bits, whatever the team and the processor. */
#ifndef CORE_TRAINING_H
#define CORE_TRAINING_H

#include "core/augmentation.h"
#include "core/loss.h"
#include "core/network.h"
#include "core/optimizer.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/thread_team.h"
#include "core/training_loop.h"

struct training_params {
    struct training_loop loop;
    enum optimizer_type optimizer;
    double momentum;     /* of OPTIMIZER_SGD */
    double weight_decay; /* see optimizer.h */
    struct loss loss;
    double input_dropout; /* the share of a sample's spikes that is left out, in [0, 1) */
    double dropout;       /* and of the hidden neurons' */
    double silence_cost;  /* of the loss, for each hidden neuron that is silent: minus so many times
                             its greatest voltage */
    double slope_floor;   /* of HIDDEN_CROSSING, in v_threshold/tau_s: a spike's time is taken to
                             follow its voltage as if that crossed the threshold no flatter than
                             so, as its exact derivative, 1/slope, has no bound; 0: exactly */
    double max_grad_norm; /* gradients longer than that are shortened to it; 0: none is */
    struct augmentation augmentation;
};

/* Trains the caller's own copy in place. validation and team may be NULL, and so may the encoding
 * for samples that are spikes. A label of the
 * training set may be -1 where no output is to fire (not with LOSS_CROSS_ENTROPY). CORE_STOPPED
 * where the observer ended it, CORE_DIVERGED where the loss or a weight is no longer finite: the
 * weights are then of no use. */
enum core_status network_train(struct network *network, const struct samples *training,
                               const struct samples *validation, const struct encoding *encoding,
                               const struct training_params *params,
                               const struct training_observer *observer,
                               const struct thread_team *team);

#endif
