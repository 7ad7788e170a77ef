/* critical_threshold.h - the spike-threshold surface and its slope: what a count of spikes is
 * learned from (Gütig, Science 351, 2016).
 *
 * theta*_k is the largest threshold at which an output fires at least k times (see multi_spike.h).
 * That is all there is to know: the count never grows with the threshold. By induction, the j-th
 * spike is never earlier at the higher of two thresholds: as long as both have fired as often, the
 * lower one resets by less and has done so earlier, so that its voltage is nowhere the lower one;
 * when the higher one fires its next spike, the lower one has done so already. Hence
 *
 *     theta*_1 = max V0 >= theta*_2 >= ...        theta*_k >= max V0 / k
 *
 * the last because at the time of max V0 fewer than k resets leave more than the threshold. There
 * is a theta*_k for every k where max V0 > 0, and for none where it is not.
 *
 * At theta*_k the voltage just touches the threshold at t*: at a maximum, on a kink, or at T. It is
 * the first spike that is there just below theta*_k and not just above; m spikes t_1 .. t_m precede
 * it. It need not be the k-th: a lost spike lets others follow. With
 *
 *     C_x = 1 + sum_(j<x) e_jx    e_jx = exp(-(t_x - t_j)/tau)    K_x = dV0(t_x)/dw
 *
 * the total differentials of V(t_x) = theta, at the spikes and at t*, where V' or dt* is 0, are
 *
 *     V'(t_x) dt_x = C_x dtheta - K_x dw + theta/tau sum_(j<x) e_jx dt_j       0 = (the same at t*)
 *
 * which is solved backwards: d theta* / dw = sum_x g_x K_x with
 *
 *     a_x = (C_x + theta/tau sum_(j<x) e_jx a_j) / V'(t_x)
 *     A   = C* + theta/tau sum_j e_j* a_j
 *     g_x = theta/(tau V'(t_x)) (e_x* g* + sum_(l>x) e_xl g_l)       g* = 1/A
 *
 * No a or g is negative, and A >= 1: nothing cancels. K_x is a sum over input spikes, as are all
 * gradients here; see credit.h. */
#ifndef CORE_CRITICAL_THRESHOLD_H
#define CORE_CRITICAL_THRESHOLD_H

#include <stdbool.h>
#include <stddef.h>

#include "core/multi_spike.h"
#include "core/status.h"

/* Scratch memory of one thread. */
struct critical_search {
    struct spike_train below; /* at the lower end of the bracket, where there are k spikes */
    struct spike_train above; /* at its upper end, where there are fewer */
    struct spike_train trial;
};

/* For k up to `most` > 0. The work is bounded: some twenty firings of k spikes, 600 at worst. */
enum core_status critical_search_init(struct critical_search *search, size_t most);
void critical_search_finish(struct critical_search *search); /* does nothing on a zeroed one */

struct critical_threshold {
    double theta;  /* theta*_k */
    double time;   /* t* */
    size_t gap;    /* of the input, that t* lies in */
    size_t before; /* m; these spikes are the first of search->below */
};

/* Finds theta*_k of the output that `firing` has taken, for 1 <= k <= most: it is bracketed by
 * two neighbouring thresholds with at least and with fewer than k spikes, and so as exact as
 * voltages are, whose terms may cancel where tau_s is close to tau (1e-14 for tau_s = 0.9 tau).
 * `hint` is where its caller has reason to look, as the neuron's own threshold, or 0. False: there
 * is none. */
bool critical_threshold_find(struct multi_spike *multi_spike, size_t k, double hint,
                             struct critical_search *search,
                             struct critical_threshold *ret_critical);

/* Where there is none, an output learns from the time at which the last input spike's potential
 * peaks, as a dead one does in Gütig & Sompolinsky 2006: as if that were theta*_1. */
struct critical_threshold critical_threshold_of_silent(const struct multi_spike *multi_spike);

/* Fills credit[spikes of the pattern], in the pattern's order: the derivative of theta*_k by the
 * weight with which each of its spikes arrives. An afferent's is the sum over its spikes. */
void critical_threshold_credit(const struct multi_spike *multi_spike,
                               const struct critical_threshold *critical,
                               struct critical_search *search, double *credit);

#endif
