/* training.h - fits a network to samples with targets: epochs of shuffled mini-batches.
 *
 * The same network, samples and params give the same bits with any team and on any processor. */
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
    double dropout;       /* the share of the hidden neurons' spikes, likewise */
    double silence_cost;  /* each silent hidden neuron lowers the loss by this times its highest
                             voltage */
    double slope_floor;   /* of HIDDEN_CROSSING, in v_threshold/tau_s. The derivative of a spike's
                             time by its voltage, 1/slope, has no bound: the slope is taken to be
                             at least this. 0: it is taken as it is */
    double max_grad_norm; /* longer gradients are shortened to this norm; 0: none is */
    struct augmentation augmentation;
};

/* Trains the caller's own copy in place. The targets are of the kind that the read-out learns. The
 * validation samples and the team may be NULL, and so may the encoding of samples that are spikes.
 * A label of the training samples may be -1, if no output is to fire (not with LOSS_CROSS_ENTROPY).
 * CORE_STOPPED: the observer has ended it. CORE_DIVERGED: the loss or a weight is no longer finite.
 * The weights are of no use then. */
enum core_status network_train(struct network *network, const struct samples *training,
                               const struct samples *validation, const struct encoding *encoding,
                               const struct training_params *params,
                               const struct training_observer *observer,
                               const struct thread_team *team);

#endif
