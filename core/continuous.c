/* continuous.c - all in double precision, from spike to spike in the order of time.
 *
 * The kernel is the same whichever of tau and tau_s is the longer, v0 having changed its sign:
 * `slow` is the longer, `fast` the shorter. */
#include "continuous.h"

#include <math.h>
#include <string.h>

#include "exponential.h"
#include "simd.h"

struct time_constants {
    double slow;
    double fast;
    double v0; /* > 0 */
};

static struct time_constants time_constants(const struct psp *psp)
{
    if (psp->tau > psp->tau_s)
        return (struct time_constants){.slow = psp->tau, .fast = psp->tau_s, .v0 = psp->v0};
    return (struct time_constants){.slow = psp->tau_s, .fast = psp->tau, .v0 = -psp->v0};
}

/* --- the order of time --- */

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* Times that are not negative are in the order of their bits as integers. */
static uint32_t digit_of(float time, unsigned shift)
{
    uint32_t bits;
    memcpy(&bits, &time, sizeof bits);
    return (bits >> shift) % DIGITS;
}

/* One pass of a radix sort. */
static void sort_by_digit(const struct pattern *pattern, const uint32_t *from, uint32_t *to,
                          unsigned shift)
{
    uint32_t first[DIGITS + 1] = {0};
    for (size_t i = 0; i < pattern->count; i++)
        first[digit_of(pattern->time[from[i]], shift) + 1]++;
    for (size_t digit = 0; digit < DIGITS; digit++)
        first[digit + 1] += first[digit];
    for (size_t i = 0; i < pattern->count; i++)
        to[first[digit_of(pattern->time[from[i]], shift)]++] = from[i];
}

/* Equal times stay in the order of their afferents. */
static void sort_by_time(const struct pattern *pattern, uint32_t *order, uint32_t *buffer)
{
    for (size_t i = 0; i < pattern->count; i++)
        buffer[i] = (uint32_t)i;
    sort_by_digit(pattern, buffer, order, 0);
    sort_by_digit(pattern, order, buffer, DIGIT_BITS);
    sort_by_digit(pattern, buffer, order, 2 * DIGIT_BITS);
}

/* --- forward --- */

/* The decays over each gap: before the first spike, between two, after the last. */
VECTORIZED static void find_decays(const struct pattern *pattern, double T,
                                   const struct time_constants *constants,
                                   struct membranes *membranes)
{
    const size_t count = pattern->count;
    const double slow = constants->slow, fast = constants->fast;
    double *restrict decay_slow = membranes->decay_slow, *restrict turn = membranes->turn;
    double *restrict decay_fast = membranes->decay_fast;
    double now = 0;
    for (size_t e = 0; e <= count; e++) {
        const double next = e < count ? (double)pattern->time[membranes->order[e]] : T;
        turn[e] = now - next;
        now = next;
    }
    for (size_t e = 0; e <= count; e++) {
        const double gap = turn[e];
        decay_slow[e] = exp_nonpositive(gap / slow);
        decay_fast[e] = exp_nonpositive(gap / fast);
        turn[e] = exp_nonpositive(gap * (1 / fast - 1 / slow));
    }
}

/* The greatest voltage within a gap that began at `time`, if it is the greatest so far: the
 * exponentials are those of the gap's begin. */
static void take_peak(const struct time_constants *constants, double time, size_t j,
                      struct membranes *membranes)
{
    const double slow = constants->slow, fast = constants->fast;
    const double M = membranes->slow[j], S = membranes->fast[j];
    const double most = M * (1 - fast / slow); /* there S exp(-u/fast)/fast = M exp(-u/slow)/slow */
    if (most <= membranes->best[j])
        return;
    const double u = slow * fast / (slow - fast) * logarithm(S * slow / (M * fast));
    const double peak = most * exp_nonpositive(-u / slow);
    if (peak > membranes->best[j]) {
        membranes->best[j] = peak;
        membranes->t_max[j] = time + u;
    }
}

/* Whether a voltage that rises as the gap begins has turned by its end, where the fast exponential
 * has decayed by `turn` more than the slow one. It then has its maximum in between, and M, S > 0.
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

/* Decays the membranes over a gap, looks at the voltage at its end, and adds the spike there. */
VECTORIZED static void end_gap(double decay_slow, double decay_fast, double time, const float *row,
                               struct membranes *membranes)
{
    double *restrict slow = membranes->slow, *restrict fast = membranes->fast;
    double *restrict best = membranes->best, *restrict t_max = membranes->t_max;
    for (size_t j = 0; j < membranes->stride; j++) {
        const double w = row == NULL ? 0 : (double)row[j];
        const double M = slow[j] * decay_slow, S = fast[j] * decay_fast, v = M - S;
        t_max[j] = v > best[j] ? time : t_max[j];
        best[j] = v > best[j] ? v : best[j];
        slow[j] = M + w;
        fast[j] = S + w;
    }
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

static void find_maxima(const struct tempotron *tempotron, const struct pattern *pattern,
                        const struct time_constants *constants, struct membranes *membranes)
{
    double now = 0;
    clear(membranes);
    for (size_t e = 0; e <= pattern->count; e++) {
        const float *row = NULL;
        double next = (double)tempotron->params.T;
        if (e < pattern->count) {
            const uint32_t spike = membranes->order[e];
            row = tempotron->weight + pattern->afferent[spike] * tempotron->stride;
            next = (double)pattern->time[spike];
        }
        if (next > now && some_turn(constants, membranes->turn[e], membranes))
            take_peaks(constants, membranes->turn[e], now, membranes);
        end_gap(membranes->decay_slow[e], membranes->decay_fast[e], next, row, membranes);
        now = next;
    }
    for (size_t j = 0; j < membranes->stride; j++)
        membranes->v_max[j] = (float)(constants->v0 * membranes->best[j]);
}

/* The voltage at t = 0 .. T - 1: each of these is the end of a gap too. */
static void sample_voltages(const struct tempotron *tempotron, const struct pattern *pattern,
                            const struct time_constants *constants, struct membranes *membranes,
                            float *v)
{
    const size_t T = tempotron->params.T;
    double now = 0;
    size_t e = 0;
    clear(membranes);
    for (size_t t = 0; t < T;) {
        const float *row = NULL;
        double next = (double)t;
        if (e < pattern->count && (double)pattern->time[membranes->order[e]] < next) {
            const uint32_t spike = membranes->order[e++];
            row = tempotron->weight + pattern->afferent[spike] * tempotron->stride;
            next = (double)pattern->time[spike];
        }
        end_gap(exp_nonpositive((now - next) / constants->slow),
                exp_nonpositive((now - next) / constants->fast), next, row, membranes);
        now = next;
        if (row != NULL)
            continue;
        for (size_t j = 0; j < tempotron->params.out_features; j++)
            v[j * T + t] = (float)(constants->v0 * (membranes->slow[j] - membranes->fast[j]));
        t++;
    }
}

void continuous_forward(const struct tempotron *tempotron, const struct pattern *pattern,
                        struct membranes *membranes, float *v)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    sort_by_time(pattern, membranes->order, membranes->buffer);
    find_decays(pattern, (double)tempotron->params.T, &constants, membranes);
    if (v != NULL)
        sample_voltages(tempotron, pattern, &constants, membranes, v);
    find_maxima(tempotron, pattern, &constants, membranes);
}

/* --- backward --- */

/* Of one spike, the gap after which ends at `next`: outputs whose maximum lies in that gap begin
 * here, the others decay over it. */
VECTORIZED static void trace_back(const struct time_constants *constants, double time, double next,
                                  double decay_slow, double decay_fast, const float *dv,
                                  struct membranes *membranes, float *credit)
{
    double *restrict slow = membranes->slow, *restrict fast = membranes->fast;
    for (size_t j = 0; j < membranes->stride; j++) {
        slow[j] *= decay_slow;
        fast[j] *= decay_fast;
    }
    for (size_t j = 0; j < membranes->stride; j++) {
        const double t_max = membranes->t_max[j];
        if (dv[j] == 0 || t_max < time || t_max >= next)
            continue;
        slow[j] = (double)dv[j] * exp_nonpositive((time - t_max) / constants->slow);
        fast[j] = (double)dv[j] * exp_nonpositive((time - t_max) / constants->fast);
    }
    for (size_t j = 0; j < membranes->stride; j++)
        credit[j] = (float)(constants->v0 * (slow[j] - fast[j]));
}

void continuous_backward(const struct tempotron *tempotron, const struct pattern *pattern,
                         struct membranes *membranes, const float *dv, struct credit *credit)
{
    const struct time_constants constants = time_constants(&tempotron->psp);
    double next = INFINITY;
    clear_exponentials(membranes);
    for (size_t e = pattern->count; e-- > 0;) {
        const uint32_t spike = membranes->order[e];
        const double time = (double)pattern->time[spike];
        trace_back(&constants, time, next, membranes->decay_slow[e + 1],
                   membranes->decay_fast[e + 1], dv, membranes,
                   credit->rise + spike * credit->stride);
        next = time;
    }
}
