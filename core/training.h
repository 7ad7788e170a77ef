/* training.h - fits a model to labelled samples: epochs of shuffled mini-batches.
 *
 * Same model, samples and params: same bits. */
#ifndef CORE_TRAINING_H
#define CORE_TRAINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loss.h"
#include "optimizer.h"
#include "sample_set.h"
#include "status.h"
#include "tempotron.h"

struct training_params {
    size_t epochs;
    size_t
        batch_size; /* the last batch of an epoch may be smaller, and is divided by its own size */
    double learning_rate;
    double learning_rate_decay; /* a factor for each epoch; 1: none */
    enum optimizer_type optimizer;
    double momentum; /* of OPTIMIZER_SGD */
    struct loss loss;
    bool shuffle; /* anew each epoch */
    uint32_t seed;
    size_t patience; /* stop after as many epochs without a lower validation loss, and keep the best
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

/* Told of every epoch; asked before every sample whether to go on. Members may be NULL. */
struct training_observer {
    void *context;
    void (*on_epoch)(void *context, const struct training_epoch *epoch);
    bool (*goes_on)(void *context);
};

/* Trains the caller's own copy in place. validation may be NULL. CORE_STOPPED where the observer
 * ended it, CORE_DIVERGED where the loss or a weight is no longer finite: the weights are then of
 * no use. */
enum core_status train(struct tempotron *tempotron, const struct sample_set *training,
                       const struct sample_set *validation, const struct training_params *params,
                       const struct training_observer *observer);

#endif
