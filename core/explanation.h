/* explanation.h - why an output reached what it reached: whose potentials its peak is made of.
 *
 *     v_max_j = sum_i w_ji K(t_max_j - t_i)
 *
 * is a sum over afferents, each of which contributed what its spikes' potentials were worth then.
 * What a hidden neuron contributed is due to its own afferents: its voltage, where it fired, is
 * such a sum too, and its contribution is divided among them in the same proportions. So the parts
 * of the sample's afferents add up to v_max_j, through any number of layers (the conservation of
 * layer-wise relevance propagation, Bach et al. 2015). */
#ifndef CORE_EXPLANATION_H
#define CORE_EXPLANATION_H

#include <stddef.h>

#include "core/activity.h"
#include "core/network.h"
#include "core/status.h"

struct contribution {
    size_t afferent;
    double potential; /* of the output's peak, the part that is due to the afferent's spikes */
};

/* Fills contributions[most] with the largest by size, the larger first and of equals the lower
 * afferent, of what a sample's activity has done to a neuron of the last layer. The pattern of the
 * first layer holds all spikes, also those of features at rest. *ret_count is how many there are:
 * of afferents that did not spike before the peak or have no weight, none. */
enum core_status network_explain(const struct network *network, const struct activity *activity,
                                 size_t output, struct contribution *contributions, size_t most,
                                 size_t *ret_count);

#endif
