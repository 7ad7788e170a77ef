/* intervals.h - the intervals between two spikes, through which the clock of real time goes.
 *
 * Within an interval every voltage is a sum of two exponentials. The kernel is the same whichever
 * of tau and tau_s is longer, if v0 changes its sign: `slow` is the longer one, `fast` the shorter.
 */
#ifndef CORE_INTERVALS_H
#define CORE_INTERVALS_H

#include "core/pattern.h"
#include "core/psp_kernel.h"

struct time_constants {
    double slow;
    double fast;
    double v0; /* > 0 */
};

struct time_constants time_constants(const struct psp *psp);

/* Fills order[count] with the pattern's spikes by time; equal times stay in the order of their
 * afferents. buffer[count] is scratch memory. */
void intervals_sort_by_time(const struct pattern *pattern, uint32_t *order, uint32_t *buffer);

/* Fills in the decays over the [count + 1] intervals: before the first spike, between two, and from
 * the last one to T. decay_turn is decay_fast/decay_slow, also if both are 0. */
void intervals_find_decays(const struct pattern *pattern, const uint32_t *order, double T,
                           const struct time_constants *constants, double *decay_slow,
                           double *decay_fast, double *decay_turn);

#endif
