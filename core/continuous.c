/* continuous.c - all in double precision, from spike to spike in the order of time. */
#include "core/continuous.h"

#include <math.h>
#include <string.h>

#include "core/exponential.h"
#include "core/simd.h"

/* --- forward --- */

/* The highest voltage within an interval that began at `time`, if it is the greatest so far: the
 * exponentials are those of the interval's begin. */
static void take_peak(const struct time_constants *constants, double time, size_t j,
                      struct membranes *membranes)
{
    const double slow = constants->slow, fast = constants->fast;
    const double M = membranes->slow[j], S = membranes->fast[j];
    const double max = M * (1 - fast / slow); /* there S exp(-u/fast)/fast = M exp(-u/slow)/slow */
    if (max <= membranes->best[j])
        return;
    const double u = slow * fast / (slow - fast) * logarithm(S * slow / (M * fast));
    const double peak = max * exp_nonpositive(-u / slow);
    if (peak > membranes->best[j]) {
        membranes->best[j] = peak;
        membranes->t_max[j] = time + u;
    }
}

/* Whether a voltage that rises as the interval begins has turned by its end, where the fast
 * exponential has decayed by `turn` more than the slow one. It then has its maximum in between, and
 * M, S > 0.
 */
INLINED bool has_turned(double falls, double rises, double turn)
{
    return (rises > falls) & (rises * turn < falls);
}

VECTORIZED static bool some_turn(const struct time_constants *constants, double turn,
                                 const struct membranes *membranes)
{
    const double per_slow = 1 / constants->slow, per_fast = 1 / constants->fast;
    int64_t turns = 0;
    for (size_t j = 0; j < membranes->stride; j++)
        turns |= has_turned(membranes->slow[j] * per_slow, membranes->fast[j] * per_fast, turn);
    return turns != 0;
}

static void take_peaks(const struct time_constants *constants, double turn, double time,
                       struct membranes *membranes)
{
    const double per_slow = 1 / constants->slow, per_fast = 1 / constants->fast;
    for (size_t j = 0; j < membranes->stride; j++)
        if (has_turned(membranes->slow[j] * per_slow, membranes->fast[j] * per_fast, turn))
            take_peak(constants, time, j, membranes);
}

/* Decays the membranes over an interval, looks at the voltage at its end, and adds the spike there.
 */
VECTORIZED static void end_interval(double decay_slow, double decay_fast, double time,
                                    const float *row, struct membranes *membranes)
{
    double *restrict slow = membranes->slow, *restrict fast = membranes->fast;
    double *restrict best = membranes->best, *restrict t_max = membranes->t_max;
    for (size_t j = 0; j < membranes->stride; j++) {
        const double w = row == NULL ? 0 : (double)row[j];
        const double M = slow[j] * decay_slow, S = fast[j] * decay_fast;
        const double v = M - S;
        t_max[j] = v > best[j] ? time : t_max[j];
        best[j] = v > best[j] ? v : best[j];
        slow[j] = M + w;
        fast[j] = S + w;
    }
}

VECTORIZED static void settle_all(struct membranes *membranes)
{
    double *restrict slow = membranes->slow, *restrict fast = membranes->fast;
    for (size_t j = 0; j < membranes->stride; j++) {
        slow[j] = psp_settle(slow[j]);
        fast[j] = psp_settle(fast[j]);
    }
}

/* psp_settle() for all neurons, in the intervals in which it is due. */
INLINED void settle(struct membranes *membranes, size_t interval)
{
    if (interval % PSP_SETTLES == 0)
        settle_all(membranes);
}

static void clear_exponentials(struct membranes *membranes)
{
    memset(membranes->slow, 0, membranes->stride * sizeof *membranes->slow);
    memset(membranes->fast, 0, membranes->stride * sizeof *membranes->fast);
}

static void clear(struct membranes *membranes)
{
    const size_t bytes = membranes->stride * sizeof(double);
    clear_exponentials(membranes);
    memset(membranes->best, 0, bytes);
    memset(membranes->t_max, 0, bytes);
}

/* --- the first crossing of the threshold --- */

/* The time u in an interval at which the voltage/v0 reaches the threshold, which it does not before
 * 0 and does by `max`: Newton's method, kept within a bracket. */
static double find_crossing(const struct time_constants *constants, double M, double S,
                            double threshold, double max)
{
    double low = 0, high = max, u = 0;
    for (int i = 0; i < 100 && high - low > 1e-13 * max; i++) {
        const double slow = M * exp_nonpositive(-u / constants->slow);
        const double fast = S * exp_nonpositive(-u / constants->fast);
        const double error = slow - fast - threshold;
        const double slope = fast / constants->fast - slow / constants->slow;
        if (error < 0)
            low = u;
        else
            high = u;
        u -= error / slope;
        if (!(u > low && u < high))
            u = low + (high - low) / 2;
    }
    return high;
}

static void note_crossing(const struct time_constants *constants, double threshold, double time,
                          double max, size_t j, struct membranes *membranes)
{
    const double M = membranes->slow[j], S = membranes->fast[j];
    const double u = find_crossing(constants, M, S, threshold, max);
    membranes->spike[j] = (float)(time + u);
    membranes->slope[j] =
        (float)(constants->v0 * (S * exp_nonpositive(-u / constants->fast) / constants->fast -
                                 M * exp_nonpositive(-u / constants->slow) / constants->slow));
}

/* In an interval whose peaks have been taken: at a peak, or by the interval's end. */
static void note_crossings(const struct time_constants *constants, double threshold, double time,
                           double next, double decay_slow, double decay_fast,
                           struct membranes *membranes)
{
    for (size_t j = 0; j < membranes->stride; j++) {
        if (membranes->spike[j] >= 0)
            continue;
        if (membranes->best[j] >= threshold)
            note_crossing(constants, threshold, time, membranes->t_max[j] - time, j, membranes);
        else if (membranes->slow[j] * decay_slow - membranes->fast[j] * decay_fast >= threshold)
            note_crossing(constants, threshold, time, next - time, j, membranes);
    }
}

/* --- the course of the voltages --- */

INLINED void find_maxima(const struct tempotron *tempotron, const struct pattern *pattern,
                         const struct timeline *timeline, struct membranes *membranes, bool fires)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    const double threshold = tempotron->params.v_threshold / constants.v0;
    double now = 0;
    clear(membranes);
    for (size_t e = 0; e <= pattern->count; e++) {
        const double decay_slow = timeline->decay_slow[e], decay_fast = timeline->decay_fast[e];
        const float *row = NULL;
        double next = (double)tempotron->params.T;
        if (e < pattern->count) {
            const uint32_t spike = timeline->order[e];
            row = tempotron->weight + pattern->afferent[spike] * tempotron->stride;
            next = (double)pattern->time[spike];
        }
        if (next > now && some_turn(&constants, timeline->turn[e], membranes))
            take_peaks(&constants, timeline->turn[e], now, membranes);
        if (fires && next > now)
            note_crossings(&constants, threshold, now, next, decay_slow, decay_fast, membranes);
        settle(membranes, e);
        end_interval(decay_slow, decay_fast, next, row, membranes);
        now = next;
    }
    for (size_t j = 0; j < membranes->stride; j++)
        membranes->v_max[j] = (float)(constants.v0 * membranes->best[j]);
}

/* The voltage at t = 0 .. T - 1: each of these is the end of an interval too. */
static void sample_voltages(const struct tempotron *tempotron, const struct pattern *pattern,
                            const struct timeline *timeline, struct membranes *membranes, float *v)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    const size_t T = tempotron->params.T;
    double now = 0;
    size_t e = 0;
    clear(membranes);
    for (size_t t = 0; t < T;) {
        const float *row = NULL;
        double next = (double)t;
        if (e < pattern->count && (double)pattern->time[timeline->order[e]] < next) {
            const uint32_t spike = timeline->order[e++];
            row = tempotron->weight + pattern->afferent[spike] * tempotron->stride;
            next = (double)pattern->time[spike];
        }
        end_interval(exp_nonpositive((now - next) / constants.slow),
                     exp_nonpositive((now - next) / constants.fast), next, row, membranes);
        settle(membranes, e + t);
        now = next;
        if (row != NULL)
            continue;
        for (size_t j = 0; j < tempotron->params.out_features; j++)
            v[j * T + t] = (float)(constants.v0 * (membranes->slow[j] - membranes->fast[j]));
        t++;
    }
}

void continuous_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                        const struct timeline *timeline, struct membranes *membranes, float *v)
{
    if (v != NULL)
        sample_voltages(tempotron, pattern, timeline, membranes, v);
    find_maxima(tempotron, pattern, timeline, membranes, false);
}

void continuous_fire(const struct tempotron *tempotron, const struct pattern *pattern,
                     const struct timeline *timeline, struct membranes *membranes)
{
    for (size_t j = 0; j < tempotron->stride; j++) {
        membranes->spike[j] = -1;
        membranes->slope[j] = 0;
    }
    find_maxima(tempotron, pattern, timeline, membranes, true);
}

/* --- backward --- */

/* The last of the spikes at a time, by its place in their order; `count`: there is none. */
static size_t find_spike_at(const struct pattern *pattern, const struct timeline *timeline,
                            double time)
{
    size_t low = 0, high = pattern->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if ((double)pattern->time[timeline->order[middle]] <= time)
            low = middle + 1;
        else
            high = middle;
    }
    const bool is_there = low > 0 && (double)pattern->time[timeline->order[low - 1]] >= time;
    return is_there ? low - 1 : pattern->count;
}

/* A neuron's slope just after a spike. */
static double slope_after(const struct tempotron *tempotron, const struct pattern *pattern,
                          const struct timeline *timeline, size_t spike, size_t neuron)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    double M = 0, S = 0;
    for (size_t e = 0; e <= spike; e++) {
        const size_t afferent = pattern->afferent[timeline->order[e]];
        const double w = (double)tempotron->weight[afferent * tempotron->stride + neuron];
        M = psp_settle(M * timeline->decay_slow[e]) + w;
        S = psp_settle(S * timeline->decay_fast[e]) + w;
    }
    return constants.v0 * (S / constants.fast - M / constants.slow);
}

void continuous_follow_kinks(const struct tempotron *tempotron, const struct pattern *pattern,
                             const struct timeline *timeline,
                             const struct voltage_gradient *gradient, float *time_gradient)
{
    for (size_t j = 0; j < tempotron->params.out_features; j++) {
        const double amount = (double)gradient->amount[j];
        const size_t spike =
            amount != 0 ? find_spike_at(pattern, timeline, gradient->at[j]) : pattern->count;
        if (spike < pattern->count)
            time_gradient[timeline->order[spike]] +=
                (float)(amount * slope_after(tempotron, pattern, timeline, spike, j));
    }
}

/* For one spike, the interval after which ends at `next`: neurons whose gradient lies in that
 * interval begin here, the others decay over it. */
VECTORIZED static void trace_back(const struct time_constants *constants, double time, double next,
                                  double decay_slow, double decay_fast,
                                  const struct voltage_gradient *gradient,
                                  struct membranes *membranes, float *rise)
{
    double *restrict slow = membranes->slow, *restrict fast = membranes->fast;
    for (size_t j = 0; j < membranes->stride; j++) {
        slow[j] *= decay_slow;
        fast[j] *= decay_fast;
    }
    for (size_t j = 0; j < membranes->stride; j++) {
        const double at = gradient->at[j], amount = (double)gradient->amount[j];
        if (amount == 0 || at < time || at >= next)
            continue;
        slow[j] = amount * exp_nonpositive((time - at) / constants->slow);
        fast[j] = amount * exp_nonpositive((time - at) / constants->fast);
    }
    for (size_t j = 0; j < membranes->stride; j++)
        rise[j] = (float)(constants->v0 * (slow[j] - fast[j]));
}

void continuous_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                         const struct timeline *timeline, const struct voltage_gradient *gradient,
                         struct membranes *membranes, struct credit *credit)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    const double *tau_exponential =
        tempotron->psp.tau > tempotron->psp.tau_s ? membranes->slow : membranes->fast;
    double next = INFINITY;
    clear_exponentials(membranes);
    for (size_t e = pattern->count; e-- > 0;) {
        const uint32_t spike = timeline->order[e];
        const double time = (double)pattern->time[spike];
        float *fall = credit->fall + spike * credit->stride;
        settle(membranes, e);
        trace_back(&constants, time, next, timeline->decay_slow[e + 1], timeline->decay_fast[e + 1],
                   gradient, membranes, credit->rise + spike * credit->stride);
        for (size_t j = 0; j < credit->stride; j++)
            fall[j] = (float)tau_exponential[j];
        next = time;
    }
}
