/* trained.h - what is left of a training: its last epoch, and its weights' bits. */
#ifndef TESTS_SUPPORT_TRAINED_H
#define TESTS_SUPPORT_TRAINED_H

#include <stdbool.h>

#include "core/network.h"
#include "core/training.h"

struct last_epoch {
    struct training_epoch epoch;
    size_t epochs;
};

/* An observer's on_epoch, whose context is a struct last_epoch. */
void keep_epoch(void *context, const struct training_epoch *epoch);

/* Whether two networks of the same shape have the same weights, bit by bit. */
bool same_weights(const struct network *a, const struct network *b);

#endif
