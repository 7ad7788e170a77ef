/* explanation.h - why an output reached what it reached: whose potentials its peak is made of.
 *
 *     v_max_j = sum_i w_ji K(t_max_j - t_i)
 *
 * is a sum over afferents, each of which contributed what its spikes' potentials were worth then.
 */
#ifndef CORE_EXPLANATION_H
#define CORE_EXPLANATION_H

#include <stddef.h>

#include "pattern.h"
#include "tempotron.h"

struct contribution {
    size_t afferent;
    double potential; /* sum of w K(t_max - t) over its spikes */
};

/* Fills contributions[most] with the largest by size, the larger first and of equals the lower
 * afferent. Returns how many there are: of afferents that did not spike before t_max or have
 * no weight, none. */
size_t tempotron_explain(const struct tempotron *tempotron, const struct pattern *pattern,
                         size_t output, double t_max, struct contribution *contributions,
                         size_t most);

#endif
