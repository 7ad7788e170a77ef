/* critical_threshold.h - the spike-threshold surface and its slope, from which a number of spikes
 * is learned (Gütig, Science 351, 2016).
 *
 * theta*_k is the highest threshold at which an output fires at least k times (see multi_spike.h).
 * These thresholds say how often it fires at any threshold, because the count never grows with the
 * threshold: by induction, the j-th spike is never earlier at the higher of two thresholds. As long
 * as both have fired equally often, the lower threshold resets by less and has done so earlier, so
 * its voltage is nowhere lower. When the higher one fires its next spike, the lower one has already
 * done so. Hence
 *
 *     theta*_1 = max V0 >= theta*_2 >= ...        theta*_k >= max V0 / k
 *
 * The last holds because fewer than k resets leave more than the threshold at the time of max V0.
 * If max V0 > 0, there is a theta*_k for every k; otherwise there is none.
 *
 * At theta*_k the voltage just touches the threshold at t*: at a maximum, on a kink, or at T. This
 * is the first spike that is there just below theta*_k and not just above; m spikes t_1 .. t_m
 * precede it. It need not be the k-th, since a lost spike lets others follow. With
 *
 *     C_x = 1 + sum_(j<x) e_jx    e_jx = exp(-(t_x - t_j)/tau)    K_x = dV0(t_x)/dw
 *
 * the total differentials of V(t_x) = theta at the spikes, and at t* (there V' or dt* is 0), are
 *
 *     V'(t_x) dt_x = C_x dtheta - K_x dw + theta/tau sum_(j<x) e_jx dt_j       0 = (the same at t*)
 *
 * Solved backwards they give d theta* / dw = sum_x g_x K_x with
 *
 *     a_x = (C_x + theta/tau sum_(j<x) e_jx a_j) / V'(t_x)
 *     A   = C* + theta/tau sum_j e_j* a_j
 *     g_x = theta/(tau V'(t_x)) (e_x* g* + sum_(l>x) e_xl g_l)       g* = 1/A
 *
 * No a or g is negative, and A >= 1, so nothing cancels. K_x is a sum over input spikes, like all
 * gradients here; see credit.h. */
#ifndef CORE_CRITICAL_THRESHOLD_H
#define CORE_CRITICAL_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/multi_spike.h"

/* Scratch memory of one thread. */
struct critical_search {
    struct spike_train below; /* at the lower end of the bracket: k spikes */
    struct spike_train above; /* at its upper end: fewer */
    struct spike_train trial;
};

/* For k up to max_k > 0. The work is bounded: about twenty firings of k spikes, at worst 600. */
void critical_search_init(struct critical_search *search, size_t max_k, struct arena *arena);

struct critical_threshold {
    double theta;    /* theta*_k */
    double time;     /* t* */
    size_t interval; /* of the input, that t* lies in */
    size_t before;   /* m; these spikes are the first of search->below */
};

/* Finds theta*_k, 1 <= k <= max_k, of the output that multi_spike has taken. It is bracketed by two
 * neighbouring thresholds with at least and with fewer than k spikes, and so as exact as voltages
 * are; if tau_s is close to tau, their terms cancel (1e-14 for tau_s = 0.9 tau). `hint` is a guess,
 * e.g. the neuron's own threshold, or 0. False: there is no such threshold. */
bool critical_threshold_find(struct multi_spike *multi_spike, size_t k, double hint,
                             struct critical_search *search,
                             struct critical_threshold *ret_critical);

/* An output without such a threshold learns from the time at which the potential of the last input
 * spike peaks, as a silent one does in Gütig & Sompolinsky 2006: as if that were theta*_1. */
struct critical_threshold critical_threshold_of_silent(const struct multi_spike *multi_spike);

/* Fills credit[spikes of the pattern], in the pattern's order, with the derivative of theta*_k by
 * the weight with which each spike arrives. An afferent's is the sum over its spikes. */
void critical_threshold_credit(const struct multi_spike *multi_spike,
                               const struct critical_threshold *critical,
                               struct critical_search *search, double *credit);

#endif
