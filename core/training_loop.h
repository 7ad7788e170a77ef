/* training_loop.h - the course of a training: epochs of shuffled batches, a learning rate for every
 * step, and when it ends. What a batch teaches is up to the caller: training.h.
 */
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
    bool shuffle;    /* anew each epoch */
    uint32_t seed;   /* of all that is drawn in training */
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
    bool is_best; /* with patience: so far, and its weights are kept */
};

/* Told of every epoch; asked again and again, whether to stop. Members may be NULL.
 */
struct training_observer {
    void *context;
    void (*on_epoch)(void *context, const struct training_epoch *epoch);
    bool (*stop_requested)(void *context);
};

/* What one step learns from. */
struct batch {
    size_t epoch;            /* from 1 */
    const uint32_t *samples; /* [count] of the training set */
    size_t count;
    double learning_rate;
};

/* Who takes the course. Any status but CORE_OK ends it. */
struct training_callbacks {
    void *context;
    enum core_status (*learn)(void *context, const struct batch *batch);
    /* An epoch's batches are learned: fills in how it went, but for its number. */
    enum core_status (*report)(void *context, struct training_epoch *ret_epoch);
    void (*save_best)(void *context); /* the weights that it has now, and */
    void (*restore_best)(
        void *context); /* has them again; both NULL where there is no validation */
};

/* Takes `samples` > 0 training samples through all epochs. observer may be NULL. */
enum core_status training_loop_run(const struct training_loop *loop, size_t samples,
                                   const struct training_callbacks *callbacks,
                                   const struct training_observer *observer);

#endif
