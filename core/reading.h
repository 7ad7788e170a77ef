/* reading.h - reads out one sample: what the last layer says, how that compares with the target,
 * and where the loss depends on the layer. One file a kind of read-out: v_max_reading.h,
 * spike_count_reading.h. */
#ifndef CORE_READING_H
#define CORE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/loss.h"
#include "core/membranes.h"
#include "core/samples.h"
#include "core/spike_counter.h"
#include "core/stop_check.h"

struct activity;
struct layer_gradient;
struct network;

/* Scratch memory of one thread that takes samples through a network. */
struct reading_scratch {
    struct membranes membranes;   /* of hidden layers, and of READ_OUT_V_MAX */
    struct spike_counter counter; /* of READ_OUT_SPIKE_COUNT */
};

/* For samples of up to `capacity` spikes. `searches`: critical thresholds are looked for, to learn
 * from them or to show them. */
void reading_scratch_init(struct reading_scratch *scratch, const struct network *network,
                          size_t capacity, bool searches, struct arena *arena);

/* What a sample is read out against. */
struct reading_task {
    const struct targets *targets;
    size_t sample;                       /* its row of the targets */
    const struct loss *loss;             /* of READ_OUT_V_MAX */
    size_t batch;                        /* samples, over which the gradient is a mean */
    const struct stop_check *stop_check; /* may be NULL */
};

enum { READING_UNDECIDED = -1 };

struct reading {
    double loss;      /* summed over the decisions; NaN: a hidden spike is not finite */
    size_t decisions; /* targets that the sample had */
    size_t correct;   /* targets that it met */
    int32_t label;    /* the class decided; READING_UNDECIDED: none, or there are no classes */
};

/* Reads out a sample whose activity has gone forward to the last layer. Fills the gradient of the
 * last layer unless NULL; then the scratch searches. False: the stop check has ended it. */
bool reading_take(const struct network *network, const struct reading_task *task,
                  struct reading_scratch *scratch, struct activity *activity,
                  struct layer_gradient *gradient, struct reading *ret_reading);

#endif
