/* intervals.h - the time between two spikes, which is all that the clock of real time consists of.
 *
 * Within a gap every voltage is a sum of two exponentials. The kernel is the same whichever of tau
 * and tau_s is the longer, v0 having changed its sign: `slow` is the longer, `fast` the shorter. */
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

/* The decays over each gap, [count + 1] of them: before the first spike, between two, from the last
 * one to T. decay_turn is decay_fast/decay_slow, where both may be 0. */
void intervals_find_decays(const struct pattern *pattern, const uint32_t *order, double T,
                           const struct time_constants *constants, double *decay_slow,
                           double *decay_fast, double *decay_turn);

#endif
