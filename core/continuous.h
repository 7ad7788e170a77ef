/* continuous.h - the clock of real time: the exact maximum of the voltage on [0, T].
 *
 * Between two spikes the voltage is a difference of two exponentials of the time u since the
 * earlier one,
 *
 *     V(u) = v0 (M exp(-u/tau) - S exp(-u/tau_s))
 *
 * which has its only extremum at u* = tau tau_s/(tau - tau_s) ln(S tau/(M tau_s)). The highest
 * voltage of each interval is at u*, if that is a maximum within the interval, or at one of its
 * ends: a spike of negative weight may stop a rise, which makes a kink. */
#ifndef CORE_CONTINUOUS_H
#define CORE_CONTINUOUS_H

#include "core/membranes.h"

void continuous_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                        const struct timeline *timeline, struct membranes *membranes, float *v);
void continuous_fire(const struct tempotron *tempotron, const struct pattern *pattern,
                     const struct timeline *timeline, struct membranes *membranes);
void continuous_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                         const struct timeline *timeline, const struct voltage_gradient *gradient,
                         struct membranes *membranes, struct credit *credit);
void continuous_follow_kinks(const struct tempotron *tempotron, const struct pattern *pattern,
                             const struct timeline *timeline,
                             const struct voltage_gradient *gradient, float *time_gradient);

#endif
