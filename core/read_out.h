/* read_out.h - what is read out of the last layer, against which target, and how it is learned: a
 * tagged type, one file a kind.
 *
 * A new kind has a file of its own, a member of the union and a case in each function of
 * read_out.c. Training and evaluation call only these. */
#ifndef CORE_READ_OUT_H
#define CORE_READ_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/loss.h"
#include "core/membranes.h"
#include "core/samples.h"
#include "core/spike_count_read_out.h"
#include "core/spike_counter.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/v_max_read_out.h"

struct activity;
struct layer_gradient;
struct network;

enum read_out_kind {
    READ_OUT_V_MAX,      /* the neurons' greatest voltages, of which a class is decided */
    READ_OUT_SPIKE_COUNT /* how often each neuron fires */
};

struct read_out {
    enum read_out_kind kind;
    union {
        struct v_max_read_out v_max;
        struct spike_count_read_out spike_count;
    };
};

/* The outputs that a client sees: classes, or neurons whose spikes are counted. */
size_t read_out_outputs(const struct read_out *read_out, size_t out_features);

/* What it costs to read out a sample of that many spikes: about the number of additions. */
uint64_t read_out_work(const struct read_out *read_out, const struct tempotron_params *params,
                       size_t spikes);

/* The kind of targets that it learns. */
enum targets_kind read_out_targets(const struct read_out *read_out);

/* Whether outputs that make no error in a batch stay as they are, momentum included. */
bool read_out_freezes(const struct read_out *read_out, const struct loss *loss);

/* Whether it finds the weights' credit itself: layer_gradient.credit is its to fill. */
bool read_out_finds_credit(const struct read_out *read_out);

/* Scratch memory of one thread that takes samples through a network. */
struct read_out_scratch {
    struct membranes membranes;   /* of hidden layers, and of READ_OUT_V_MAX */
    struct spike_counter counter; /* of READ_OUT_SPIKE_COUNT */
};

/* For samples of up to `capacity` spikes. `searches`: critical thresholds are looked for, to learn
 * from them or to show them. */
enum core_status read_out_scratch_init(struct read_out_scratch *scratch,
                                       const struct network *network, size_t capacity,
                                       bool searches);
void read_out_scratch_finish(struct read_out_scratch *scratch); /* does nothing on a zeroed one */

/* What a sample is read out against. */
struct read_out_task {
    const struct targets *targets;
    size_t sample;                       /* of the targets */
    const struct loss *loss;             /* of READ_OUT_V_MAX */
    size_t batch;                        /* samples, over which the gradient is a mean */
    const struct stop_check *stop_check; /* may be NULL */
};

enum { READ_OUT_UNDECIDED = -1 };

struct read_out_outcome {
    double loss;      /* summed over the decisions */
    size_t decisions; /* targets that the sample had */
    size_t correct;   /* targets that it met */
    int32_t label;    /* the class decided; READ_OUT_UNDECIDED: none, or there are no classes */
};

/* Reads out a sample whose activity has gone forward to the last layer. Fills the gradient of the
 * last layer unless NULL; then the scratch searches. False: the stop check has ended it. */
bool read_out_sample(const struct network *network, const struct read_out_task *task,
                     struct read_out_scratch *scratch, struct activity *activity,
                     struct layer_gradient *gradient, struct read_out_outcome *ret_outcome);

#endif
