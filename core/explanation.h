/* explanation.h - why an output reached its highest voltage: which potentials its peak consists of.
 *
 *     v_max_j = sum_i w_ji K(t_max_j - t_i)
 *
 * is a sum over afferents: each contributes what the potentials of its spikes are worth at t_max_j.
 * What a hidden neuron contributes is due to its own afferents. Its voltage when it fired is such a
 * sum too, and its contribution is divided among them in the same proportions. So the parts of the
 * sample's afferents add up to v_max_j through any number of layers (the conservation of layer-wise
 * relevance propagation, Bach et al. 2015). */
#ifndef CORE_EXPLANATION_H
#define CORE_EXPLANATION_H

#include <stddef.h>

#include "core/activity.h"
#include "core/network.h"
#include "core/status.h"

struct contribution {
    size_t afferent;
    double potential; /* the part of the output's peak that is due to the afferent's spikes */
};

/* Explains a neuron of the last layer by a sample's activity: fills contributions[max] with the
 * largest by size, larger ones first, and of equal ones the lower afferent first. The pattern of
 * the first layer holds all spikes: none is left to a background. *ret_count is how many there are;
 * afferents that did not spike before the peak, or have no weight, contribute nothing. */
enum core_status network_explain(const struct network *network, const struct activity *activity,
                                 size_t output, struct contribution *contributions, size_t max,
                                 size_t *ret_count);

#endif
