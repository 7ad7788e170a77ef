/* training_state.h - all that a training is between two batches, as bytes: from them it goes on in
 * another process, and ends with the same bits as if it had never been interrupted.
 *
 * The bytes are little-endian, in this order:
 *
 *     struct head          what it is of, and how far it is
 *     struct random        the generator of the epochs' orders
 *     uint32[count]        the order of this epoch, or of the last one
 *     for each block of neurons, layer by layer
 *         float32[rows][stride]   its weights
 *         float32[rows][stride]   its first moments, and with Adam its second ones
 *         struct pace             its number of steps
 *     with patience, for each block, float32[rows][stride]: the best epoch's weights
 *
 * The numbers that dropout and augmentation draw need no state: they follow from the seed, the
 * epoch and the sample. */
#ifndef CORE_TRAINING_STATE_H
#define CORE_TRAINING_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/learner.h"
#include "core/network.h"
#include "core/random.h"

struct training_state {
    struct network *network; /* borrowed, as the learner is; what it points to is part of it */
    struct learner *learner;
    struct network *best; /* of the best epoch; NULL without patience */
    size_t count;         /* of the training samples */
    uint32_t *order;      /* [count] as this epoch takes them */
    struct random random;

    size_t epoch;             /* that is trained, from 1; those before it are done */
    bool is_drawn;            /* its order is */
    size_t batch;             /* of its batches are done */
    struct learner_sums sums; /* over them */
    size_t best_epoch;        /* 0: none yet */
    double best_loss;
};

/* How many epochs are done, validated ones if there is a validation set. */
static inline size_t training_state_epochs(const struct training_state *state)
{
    return state->epoch - 1;
}

/* Hands the bytes to write() piece by piece. False: write() has returned it. */
bool training_state_save(const struct training_state *state,
                         bool (*write)(void *context, const void *bytes, size_t size),
                         void *context);

/* Fills the state of a training that has not begun with such bytes, for which it asks read() piece
 * by piece. False: read() has returned it, or the bytes are not of this format, of such a network,
 * of as many samples, or can't be; the state and its network are of no use then. */
bool training_state_restore(struct training_state *state,
                            bool (*read)(void *context, void *ret_bytes, size_t size),
                            void *context);

#endif
