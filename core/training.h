/* training.h - fits a model to labelled samples: epochs of shuffled mini-batches.
 *
 * Same model, samples and params: same bits, whatever the crew and the processor. */
#ifndef CORE_TRAINING_H
#define CORE_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "augmentation.h"
#include "crew.h"
#include "loss.h"
#include "network.h"
#include "optimizer.h"
#include "sample_set.h"
#include "schedule.h"
#include "status.h"

struct training_params {
    size_t epochs;
    size_t batch_size; /* an epoch's last batch may be smaller, and is divided by its own size */
    struct schedule schedule;
    enum optimizer_type optimizer;
    double momentum;     /* of OPTIMIZER_SGD */
    double weight_decay; /* see optimizer.h */
    struct loss loss;
    double input_dropout; /* the share of a sample's spikes that is left out, in [0, 1) */
    double dropout;       /* and of the hidden neurons' */
    double silence_cost;  /* of the loss, for each hidden neuron that is silent: minus so many times
                             its greatest voltage */
    double max_grad_norm; /* gradients longer than that are shortened to it; 0: none is */
    struct augmentation augmentation;
    bool shuffle; /* anew each epoch */
    uint32_t seed;
    size_t patience; /* stop after so many epochs without a lower validation loss, and keep the best
                        epoch's weights; 0: never */
};

/* Of one epoch. loss and accuracy are over the training samples, as seen before each update. */
struct training_epoch {
    size_t epoch; /* from 1 */
    double loss;
    double accuracy;
    bool has_validation;
    double validation_loss;
    double validation_accuracy;
};

/* Told of every epoch; asked before every sample, of the validation too, whether to go on, by any
 * hand of the crew. Members may be NULL. */
struct training_observer {
    void *context;
    void (*on_epoch)(void *context, const struct training_epoch *epoch);
    bool (*goes_on)(void *context);
};

/* Trains the caller's own copy in place. validation may be NULL, and so may crew. A label of the
 * training set may be -1 where no output is to fire (not with LOSS_CROSS_ENTROPY). CORE_STOPPED
 * where the observer ended it, CORE_DIVERGED where the loss or a weight is no longer finite: the
 * weights are then of no use. */
enum core_status network_train(struct network *network, const struct sample_set *training,
                               const struct sample_set *validation,
                               const struct training_params *params,
                               const struct training_observer *observer, const struct crew *crew);

#endif
