#include "firing.h"

#include <math.h>
#include <stdlib.h>

#include "exponential.h"
#include "simd.h"

enum { NEWTON_STEPS = 64 }; /* six are many, but where V only just touches the threshold */

float firing_last(const struct tempotron_params *params)
{
    return (float)params->T;
}

/* --- memory --- */

enum core_status spike_train_init(struct spike_train *train, size_t most)
{
    double *block = NULL;
    if (most <= SIZE_MAX / (3 * sizeof(double) + sizeof(uint32_t)))
        block = malloc(most * (3 * sizeof(double) + sizeof(uint32_t)));
    if (block == NULL)
        return CORE_NO_MEMORY;
    *train = (struct spike_train){
        .most = most,
        .time = block,
        .slope = block + most,
        .credit = block + 2 * most,
        .gap = (uint32_t *)(block + 3 * most),
    };
    return CORE_OK;
}

void spike_train_finish(struct spike_train *train)
{
    free(train->time);
    *train = (struct spike_train){0};
}

enum core_status firing_init(struct firing *firing, size_t capacity)
{
    enum { DOUBLES = 7, INTEGERS = 3 };
    const size_t room = capacity + 2;
    double *block = malloc(room * (DOUBLES * sizeof(double) + INTEGERS * sizeof(uint32_t)));
    if (block == NULL)
        return CORE_NO_MEMORY;
    uint32_t *integers = (uint32_t *)(block + DOUBLES * room);
    *firing = (struct firing){
        .begin = block,
        .decay_slow = block + room,
        .decay_fast = block + 2 * room,
        .decay_turn = block + 3 * room,
        .slow = block + 4 * room,
        .fast = block + 5 * room,
        .bound = block + 6 * room,
        .order = integers,
        .buffer = integers + room,
        .eligible = integers + 2 * room,
    };
    return CORE_OK;
}

void firing_finish(struct firing *firing)
{
    free(firing->begin);
    *firing = (struct firing){0};
}

/* --- the voltage without reset --- */

void firing_take_pattern(struct firing *firing, const struct tempotron *tempotron,
                         const struct pattern *pattern)
{
    const double T = (double)tempotron->params.T;
    firing->constants = time_constants(&tempotron->psp);
    firing->tau = tempotron->psp.tau;
    firing->resets_slow = tempotron->psp.tau > tempotron->psp.tau_s ? 1 : 0;
    firing->t_peak = tempotron->psp.t_peak;
    firing->gaps = pattern->count + 1;
    gaps_sort_by_time(pattern, firing->order, firing->buffer);
    gaps_find_decays(pattern, firing->order, T, &firing->constants, firing->decay_slow,
                     firing->decay_fast, firing->decay_turn);
    firing->begin[0] = 0;
    for (size_t e = 0; e < pattern->count; e++)
        firing->begin[e + 1] = (double)pattern->time[firing->order[e]];
    firing->begin[firing->gaps] = T;
}

/* A voltage that rises as the gap begins and falls as it ends has its maximum in between, below
 * slow (1 - fast/slow), which is that maximum were it at the gap's begin. */
VECTORIZED static void find_bounds(const struct firing *firing, double *restrict bound)
{
    const double per_slow = 1 / firing->constants.slow, per_fast = 1 / firing->constants.fast;
    const double most = 1 - firing->constants.fast / firing->constants.slow;
    const double *restrict slow = firing->slow, *restrict fast = firing->fast;
    for (size_t e = 0; e < firing->gaps; e++) {
        const double begin = slow[e] + fast[e];
        const double end = slow[e] * firing->decay_slow[e] + fast[e] * firing->decay_fast[e];
        const double falls = slow[e] * per_slow, rises = -fast[e] * per_fast;
        const double greater = begin > end ? begin : end, peak = slow[e] * most;
        bound[e] = (rises > falls) & (rises * firing->decay_turn[e] < falls) ? peak : greater;
    }
}

void firing_take_output(struct firing *firing, const struct tempotron *tempotron,
                        const struct pattern *pattern, size_t output)
{
    const float *weight = tempotron->weight + output;
    double slow = 0, fast = 0;
    for (size_t e = 0; e < firing->gaps; e++) {
        firing->slow[e] = slow;
        firing->fast[e] = fast;
        if (e == pattern->count)
            break;
        const size_t afferent = pattern->afferent[firing->order[e]];
        const double w = firing->constants.v0 * (double)weight[afferent * tempotron->stride];
        slow = slow * firing->decay_slow[e] + w;
        fast = fast * firing->decay_fast[e] - w;
    }
    find_bounds(firing, firing->bound);
}

/* --- a stretch between two events --- */

/* V(u) = slow exp(-u/constants.slow) + fast exp(-u/constants.fast) for 0 <= u <= length; the decays
 * are those over its length. */
struct stretch {
    double slow;
    double fast;
    double length;
    double decay_slow;
    double decay_fast;
    double decay_turn;
};

static bool rises(const struct firing *firing, const struct stretch *stretch)
{
    return stretch->slow / firing->constants.slow + stretch->fast / firing->constants.fast < 0;
}

static bool falls_at_end(const struct firing *firing, const struct stretch *stretch)
{
    return stretch->slow / firing->constants.slow +
               stretch->fast / firing->constants.fast * stretch->decay_turn >
           0;
}

static void find_stretch_decays(const struct firing *firing, struct stretch *stretch)
{
    const double slow = firing->constants.slow, fast = firing->constants.fast;
    stretch->decay_slow = exp_nonpositive(-stretch->length / slow);
    stretch->decay_fast = exp_nonpositive(-stretch->length / fast);
    stretch->decay_turn = exp_nonpositive(-stretch->length * (1 / fast - 1 / slow));
}

/* A gap as a whole, with `reset` of threshold at its begin. */
static struct stretch whole_gap(const struct firing *firing, size_t gap, double reset)
{
    return (struct stretch){
        .slow = firing->slow[gap] - firing->resets_slow * reset,
        .fast = firing->fast[gap] - (1 - firing->resets_slow) * reset,
        .length = firing->begin[gap + 1] - firing->begin[gap],
        .decay_slow = firing->decay_slow[gap],
        .decay_fast = firing->decay_fast[gap],
        .decay_turn = firing->decay_turn[gap],
    };
}

/* What is left of it from u on, after a reset there. Its decays are not filled. */
static void cut(const struct firing *firing, double u, double reset, struct stretch *stretch)
{
    stretch->slow =
        stretch->slow * exp_nonpositive(-u / firing->constants.slow) - firing->resets_slow * reset;
    stretch->fast = stretch->fast * exp_nonpositive(-u / firing->constants.fast) -
                    (1 - firing->resets_slow) * reset;
    stretch->length -= u;
}

/* The voltage's extremum is at u* = tau tau_s/(tau - tau_s) ln(-fast tau/(slow tau_s)). */
static double turning_point(const struct firing *firing, const struct stretch *stretch)
{
    const double slow = firing->constants.slow, fast = firing->constants.fast;
    const double u =
        slow * fast / (slow - fast) * logarithm(-stretch->fast * slow / (stretch->slow * fast));
    return u >= 0 && u <= stretch->length ? u : stretch->length;
}

/* The greatest voltage of one that rises; where it is, and whether it falls from there on. */
struct top {
    double v;
    double u;
    bool is_turn;
};

static struct top find_top(const struct firing *firing, const struct stretch *stretch)
{
    const double slow = firing->constants.slow, fast = firing->constants.fast;
    if (!falls_at_end(firing, stretch))
        return (struct top){.v = stretch->slow * stretch->decay_slow +
                                 stretch->fast * stretch->decay_fast,
                            .u = stretch->length};
    const double u = turning_point(firing, stretch);
    return (struct top){.v = stretch->slow * (1 - fast / slow) * exp_nonpositive(-u / slow),
                        .u = u,
                        .is_turn = true};
}

/* Where to begin to look for the crossing: by the parabola at a maximum, else by the chord, which
 * runs below the voltage. */
static double guess(const struct firing *firing, const struct stretch *stretch,
                    const struct top *top, double threshold)
{
    const double slow = firing->constants.slow, fast = firing->constants.fast;
    const double begin = stretch->slow + stretch->fast;
    double u = top->u * (threshold - begin) / (top->v - begin);
    if (top->is_turn)
        u = top->u - sqrt(2 * (top->v - threshold) / top->v * slow * fast);
    return u > 0 && u <= top->u ? u : 0;
}

/* Where a stretch that rises to the threshold or higher crosses it, and how steeply. Newton's step
 * from the right lands on the left, steps from the left stay there; once the voltage is not below
 * the threshold, rounding is all that is left. */
static double find_crossing(const struct firing *firing, const struct stretch *stretch,
                            const struct top *top, double threshold, double *ret_slope)
{
    const double per_slow = 1 / firing->constants.slow, per_fast = 1 / firing->constants.fast;
    double u = guess(firing, stretch, top, threshold), slope = 0;
    for (int i = 0; i < NEWTON_STEPS; i++) {
        const double slow = stretch->slow * exp_nonpositive(-u * per_slow);
        const double fast = stretch->fast * exp_nonpositive(-u * per_fast);
        const double above = slow + fast - threshold;
        slope = -slow * per_slow - fast * per_fast;
        if (!(slope > 0) || (i > 0 && !(above < 0)))
            break;
        const double next = fmin(fmax(u - above / slope, 0), top->u);
        const bool is_there = fabs(next - u) <= 0x1p-52 * next;
        u = next;
        if (is_there)
            break;
    }
    *ret_slope = slope > 0 ? slope : 0;
    return u;
}

/* --- firing --- */

void firing_choose(struct firing *firing, double least)
{
    size_t count = 0;
    for (size_t e = 0; e < firing->gaps; e++) {
        firing->eligible[count] = (uint32_t)e;
        count += firing->bound[e] >= least;
    }
    firing->eligible_count = count;
}

/* All spikes within one gap, behind which the sum of exp(-(t - t_s)/tau) was *resets at *since. */
static void fire_in_gap(const struct firing *firing, size_t gap, double threshold, double *resets,
                        double *since, struct spike_train *train)
{
    double now = firing->begin[gap];
    const double left = *resets > 0 ? *resets * exp_nonpositive((*since - now) / firing->tau) : 0;
    struct stretch stretch = whole_gap(firing, gap, threshold * left);
    while (rises(firing, &stretch) && train->count < train->most) {
        double slope;
        const struct top top = find_top(firing, &stretch);
        if (!(top.v >= threshold))
            return;
        const double u = find_crossing(firing, &stretch, &top, threshold, &slope);
        now = fmin(now + u, firing->begin[gap + 1]);
        train->time[train->count] = now;
        train->slope[train->count] = slope;
        train->gap[train->count] = (uint32_t)gap;
        train->count++;
        *resets = 1 + (*resets > 0 ? *resets * exp_nonpositive((*since - now) / firing->tau) : 0);
        *since = now;
        cut(firing, u, threshold, &stretch);
        find_stretch_decays(firing, &stretch);
    }
}

void firing_fire_chosen(const struct firing *firing, double threshold, struct spike_train *train)
{
    double resets = 0, since = 0;
    train->count = 0;
    for (size_t i = 0; i < firing->eligible_count && train->count < train->most; i++)
        if (firing->bound[firing->eligible[i]] >= threshold)
            fire_in_gap(firing, firing->eligible[i], threshold, &resets, &since, train);
}

void firing_fire(struct firing *firing, double threshold, struct spike_train *train)
{
    firing_choose(firing, threshold);
    firing_fire_chosen(firing, threshold, train);
}

/* The voltage at t = 0 .. steps - 1: each gap's two exponentials, less what is left of the resets.
 */
void firing_sample(const struct firing *firing, double threshold, const struct spike_train *train,
                   size_t steps, float *v)
{
    double resets = 0, since = 0;
    size_t e = 0, s = 0;
    for (size_t t = 0; t < steps; t++) {
        const double now = (double)t;
        while (e + 1 < firing->gaps && firing->begin[e + 1] < now)
            e++;
        for (; s < train->count && train->time[s] < now; s++) {
            resets = 1 + resets * exp_nonpositive((since - train->time[s]) / firing->tau);
            since = train->time[s];
        }
        const double u = now - firing->begin[e];
        const double left = s > 0 ? resets * exp_nonpositive((since - now) / firing->tau) : 0;
        v[t] = (float)(firing->slow[e] * exp_nonpositive(-u / firing->constants.slow) +
                       firing->fast[e] * exp_nonpositive(-u / firing->constants.fast) -
                       threshold * left);
    }
}

/* --- maxima --- */

struct peak firing_v_max(const struct firing *firing)
{
    struct peak best = {0};
    for (size_t e = 0; e < firing->gaps; e++) {
        if (!(firing->bound[e] > best.v))
            continue;
        const struct stretch gap = whole_gap(firing, e, 0);
        if (!rises(firing, &gap))
            continue; /* its begin was the end of the gap before */
        const struct top top = find_top(firing, &gap);
        if (top.v > best.v)
            best = (struct peak){.v = top.v, .time = firing->begin[e] + top.u, .gap = e};
    }
    return best;
}

struct peak firing_peak(const struct firing *firing, double threshold,
                        const struct spike_train *train, size_t before)
{
    const size_t gap = train->gap[before];
    double now = firing->begin[gap], resets = 0, since = 0;
    size_t s = 0;
    for (; s < before && train->gap[s] < gap; s++) {
        resets = 1 + resets * exp_nonpositive((since - train->time[s]) / firing->tau);
        since = train->time[s];
    }
    const double left = s > 0 ? resets * exp_nonpositive((since - now) / firing->tau) : 0;
    struct stretch stretch = whole_gap(firing, gap, threshold * left);
    for (; s < before; s++) {
        cut(firing, train->time[s] - now, threshold, &stretch);
        now = train->time[s];
    }
    find_stretch_decays(firing, &stretch);
    const struct top top = find_top(firing, &stretch);
    return (struct peak){.v = top.v, .time = now + top.u, .gap = gap};
}
