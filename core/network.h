/* network.h - layers of tempotrons, one after the other: the spikes of each layer are the input of
 * the next.
 *
 * A hidden tempotron fires once: when its voltage first reaches the threshold or, as in
 * SpikingJelly's stacking, at its highest voltage if that reaches the threshold. The last layer is
 * read out (read_out.h); without hidden layers it is the only one. Every layer has the same clock,
 * window, kernel and threshold. Threads may share a network, since it has no scratch memory;
 * training works on a copy. */
#ifndef CORE_NETWORK_H
#define CORE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "core/layer.h"
#include "core/read_out.h"
#include "core/status.h"
#include "core/tempotron.h"

enum { HIDDEN_LAYERS = 8, NETWORK_LAYERS = HIDDEN_LAYERS + 1 };

/* When a hidden neuron fires. */
enum hidden_spike {
    HIDDEN_CROSSING, /* when its voltage first crosses the threshold; on the grid, when the straight
                        line between two steps does */
    HIDDEN_PEAK      /* at the first of its highest voltages, if that reaches the threshold; only
                        with CLOCK_GRID */
};

struct network_params {
    struct tempotron_params
        tempotron; /* in_features of the first layer, out_features of the last */
    size_t hidden_count;
    size_t hidden[HIDDEN_LAYERS]; /* neurons of each hidden layer */
    enum hidden_spike hidden_spike;
    struct read_out read_out;
};

struct network {
    struct network_params params;
    size_t depth;   /* layers */
    size_t outputs; /* see network_outputs() */
    struct layer layers[NETWORK_LAYERS];
    struct arena arena;
};

/* For one layer of tempotrons, read out by v_max with one neuron a class. */
struct network_params network_params_of(const struct tempotron_params *params);

size_t network_depth(const struct network_params *params);
size_t network_outputs(const struct network_params *params); /* see read_out_outputs() */
size_t network_afferents(const struct network_params *params, size_t layer);
size_t network_neurons(const struct network_params *params, size_t layer);

/* What a sample of that many spikes costs: about the number of additions. */
uint64_t network_work(const struct network_params *params, size_t spikes);

/* weight[depth] points to each layer's [neurons][afferents]; NULL: all are 0. */
enum core_status network_create(const struct network_params *params, const float *const *weight,
                                struct network **ret_network);
enum core_status network_copy(const struct network *network, struct network **ret_network);
void network_copy_weights(const struct network *from, struct network *to); /* of the same shape */
void network_destroy(struct network *network);                             /* takes NULL */

/* The widest block: scratch memory that is made for it suits all. */
const struct tempotron *network_widest_block(const struct network *network);
size_t network_widest_hidden(const struct network *network); /* the layer's width, at least 1 */

size_t network_bytes(const struct network *network); /* of weights in memory */

/* Draws a layer's weight[neurons][afferents] by the seed and the layer's number: those of an only
 * layer as tempotron_draw_weight() does, those of hidden layers from a normal distribution whose
 * mean is above 0, so that the neurons fire, and those of the last layer after them from one around
 * 0. */
void network_draw_weight(const struct network_params *params, size_t layer, uint32_t seed,
                         float *ret_weight);

#endif
