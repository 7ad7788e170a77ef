/* training.h - fits a network to samples with targets: epochs of shuffled mini-batches, a learning
 * rate for every step, and when it ends.
 *
 * The same network, samples and params give the same bits with any team and on any processor. */
#ifndef CORE_TRAINING_H
#define CORE_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/augmentation.h"
#include "core/loss.h"
#include "core/network.h"
#include "core/optimizer.h"
#include "core/samples.h"
#include "core/schedule.h"
#include "core/status.h"
#include "core/thread_team.h"

struct training_state;

struct training_loop {
    size_t epochs;
    size_t batch_size; /* an epoch's last batch may be smaller, and is divided by its own size */
    struct schedule schedule;
    bool shuffle;    /* the samples, anew in each epoch */
    uint32_t seed;   /* of everything that is drawn in training */
    size_t patience; /* it stops after that many epochs without a lower validation loss, and keeps
                        the best epoch's weights; 0: it never does */
};

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

/* How an epoch went. Its loss and accuracy are those of the training samples before each step. */
struct training_epoch {
    size_t epoch; /* from 1 */
    double loss;
    double accuracy;
    bool has_validation;
    double validation_loss;
    double validation_accuracy;
    bool is_best; /* with patience: the best so far, whose weights are kept */
};

/* Hears of every epoch, and is asked again and again whether to stop. Members may be NULL. What a
 * state is for is said in training_state.h. */
struct training_observer {
    void *context;
    /* Before the first batch: may restore a state, to go on from there. False: the training ends
     * as CORE_STOPPED, without on_end(). */
    bool (*on_begin)(void *context, struct training_state *state);
    void (*on_batch)(void *context, const struct training_state *state); /* before each batch */
    void (*on_epoch)(void *context, const struct training_epoch *epoch);
    /* After the last epoch, or when it was stopped: the state to go on from. */
    void (*on_end)(void *context, const struct training_state *state);
    bool (*stop_requested)(void *context);
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
