/* training_loop.h - the loop of a training: epochs of shuffled batches, a learning rate for every
 * step, and when it ends. What a batch teaches is up to the caller: training.h. */
#ifndef CORE_TRAINING_LOOP_H
#define CORE_TRAINING_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/schedule.h"
#include "core/status.h"

struct training_loop {
    size_t epochs;
    size_t batch_size; /* an epoch's last batch may be smaller, and is divided by its own size */
    struct schedule schedule;
    bool shuffle;    /* the samples, anew in each epoch */
    uint32_t seed;   /* of everything that is drawn in training */
    size_t patience; /* it stops after that many epochs without a lower validation loss, and keeps
                        the best epoch's weights; 0: it never does */
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

/* Hears of every epoch, and is asked again and again whether to stop. Members may be NULL. */
struct training_observer {
    void *context;
    void (*on_epoch)(void *context, const struct training_epoch *epoch);
    bool (*stop_requested)(void *context);
};

/* The samples of one step. */
struct batch {
    size_t epoch;            /* from 1 */
    const uint32_t *samples; /* [count] of the training set */
    size_t count;
    double learning_rate;
};

/* What the loop drives. Any status except CORE_OK ends it. */
struct training_callbacks {
    void *context;
    enum core_status (*learn)(void *context, const struct batch *batch);
    /* Called after an epoch's batches: fills in how it went, except its number. */
    enum core_status (*report)(void *context, struct training_epoch *ret_epoch);
    /* Saves the current weights; restores those. Both are NULL if there is no validation. */
    void (*save_best)(void *context);
    void (*restore_best)(void *context);
};

/* Takes `samples` > 0 training samples through all epochs. The observer may be NULL. */
enum core_status training_loop_run(const struct training_loop *loop, size_t samples,
                                   const struct training_callbacks *callbacks,
                                   const struct training_observer *observer);

#endif
