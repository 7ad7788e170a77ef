/* activity.h - what a sample causes in a network: the spikes that come into each layer, and what
 * the layer's neurons do. */
#ifndef CORE_ACTIVITY_H
#define CORE_ACTIVITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/arena.h"
#include "core/membranes.h"
#include "core/network.h"
#include "core/pattern.h"
#include "core/timeline.h"

struct layer_activity {
    struct pattern pattern;   /* the spikes that come in */
    struct timeline timeline; /* has read the pattern */
    float *v_max;             /* [width] the highest voltage */
    double *t_max;            /* [width] its time */

    /* These are a hidden layer's. */
    float *spike; /* [width] when the neuron fires; -1: it does not */
    float *slope; /* [width] with HIDDEN_CROSSING, the voltage's slope then */
};

struct activity {
    size_t depth;
    struct layer_activity layers[NETWORK_LAYERS];
    float *score; /* [classes] of READ_OUT_V_MAX */
};

/* Makes room for samples of up to `capacity` spikes. */
void activity_init(struct activity *activity, const struct network *network, size_t capacity,
                   struct arena *arena);

/* The caller fills this pattern with the sample's spikes before the forward pass. */
struct pattern *activity_input(struct activity *activity);

/* Runs the sample's pattern through the hidden layers, in membranes made for
 * network_widest_block(): the last layer's pattern and timeline are then ready to be read out. */
void activity_forward(const struct network *network, struct membranes *membranes,
                      struct activity *activity);

/* Whether spikes reached the last layer: without any, no class is decided. */
bool activity_decides(const struct activity *activity);

/* --- the steps of activity_forward(), for a batch that goes through layer by layer --- */

/* Run one block of a layer whose timeline has read its pattern. */
void activity_fire_block(const struct tempotron *tempotron, enum hidden_spike hidden_spike,
                         size_t block, struct membranes *membranes, struct layer_activity *layer);
void activity_read_block(const struct tempotron *tempotron, size_t block,
                         struct membranes *membranes, struct layer_activity *layer, float *v);

/* Makes the spikes of a hidden layer's neurons the pattern of the next layer. */
void activity_pass_on(const struct layer_activity *layer, size_t neurons, struct pattern *pattern);

#endif
