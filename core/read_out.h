/* read_out.h - what is read out of the last layer, against which target, and how it is learned: a
 * tagged type, one file a kind.
 *
 * A new kind has a file of its own, a member of the union and a case in each function of
 * read_out.c, and a reading (reading.h). Training and evaluation call only these two files. */
#ifndef CORE_READ_OUT_H
#define CORE_READ_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/loss.h"
#include "core/samples.h"
#include "core/spike_count_read_out.h"
#include "core/v_max_read_out.h"

enum read_out_kind {
    READ_OUT_V_MAX,      /* the neurons' highest voltages, which decide a class */
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

/* The limit of counting an output's spikes; 0: none are counted. */
uint32_t read_out_max_spikes(const struct read_out *read_out);

/* The kind of targets that it learns. */
enum targets_kind read_out_targets(const struct read_out *read_out);

/* Whether outputs that make no error in a batch stay as they are, momentum included. */
bool read_out_freezes(const struct read_out *read_out, const struct loss *loss);

/* Whether it finds the weights' credit itself: layer_gradient.credit is its to fill. */
bool read_out_finds_credit(const struct read_out *read_out);

#endif
