#include "core/multi_spike.h"

#include <math.h>

#include "core/simd.h"

enum { NEWTON_STEPS = 64 }; /* six are many, unless V only just touches the threshold */

void spike_train_init(struct spike_train *train, size_t max, struct arena *arena)
{
    *train = (struct spike_train){
        .max = max,
        .time = arena_reserve(arena, max, sizeof *train->time),
        .slope = arena_reserve(arena, max, sizeof *train->slope),
        .credit = arena_reserve(arena, max, sizeof *train->credit),
        .interval = arena_reserve(arena, max, sizeof *train->interval),
    };
}

void multi_spike_init(struct multi_spike *multi_spike, size_t capacity, struct arena *arena)
{
    const size_t room = capacity + 2;
    *multi_spike = (struct multi_spike){
        .begin = arena_reserve(arena, room, sizeof *multi_spike->begin),
        .slow = arena_reserve(arena, room, sizeof *multi_spike->slow),
        .fast = arena_reserve(arena, room, sizeof *multi_spike->fast),
        .bound = arena_reserve(arena, room, sizeof *multi_spike->bound),
        .eligible = arena_reserve(arena, room, sizeof *multi_spike->eligible),
    };
}

/* --- the voltage without reset --- */

void multi_spike_take_pattern(struct multi_spike *multi_spike, const struct tempotron *tempotron,
                              const struct pattern *pattern, const struct timeline *timeline)
{
    multi_spike->timeline = timeline;
    multi_spike->constants = time_constants(&tempotron->psp);
    multi_spike->tau = tempotron->psp.tau;
    multi_spike->resets_slow = tempotron->psp.tau > tempotron->psp.tau_s ? 1 : 0;
    multi_spike->t_peak = tempotron->psp.t_peak;
    multi_spike->intervals = pattern->count + 1;
    multi_spike->begin[0] = 0;
    for (size_t e = 0; e < pattern->count; e++)
        multi_spike->begin[e + 1] = (double)pattern->time[multi_spike->timeline->order[e]];
    multi_spike->begin[multi_spike->intervals] = (double)tempotron->params.T;
}

/* A voltage that rises as the interval begins and falls as it ends has its maximum in between,
 * below slow (1 - fast/slow), which is that maximum were it at the interval's begin. */
VECTORIZED static void find_bounds(const struct multi_spike *multi_spike, double *restrict bound)
{
    const double per_slow = 1 / multi_spike->constants.slow,
                 per_fast = 1 / multi_spike->constants.fast;
    const double max = 1 - multi_spike->constants.fast / multi_spike->constants.slow;
    const double *restrict slow = multi_spike->slow, *restrict fast = multi_spike->fast;
    for (size_t e = 0; e < multi_spike->intervals; e++) {
        const double begin = slow[e] + fast[e];
        const double end = slow[e] * multi_spike->timeline->decay_slow[e] +
                           fast[e] * multi_spike->timeline->decay_fast[e];
        const double falls = slow[e] * per_slow, rises = -fast[e] * per_fast;
        const double greater = begin > end ? begin : end, peak = slow[e] * max;
        bound[e] =
            ((rises > falls) & (rises * multi_spike->timeline->turn[e] < falls)) ? peak : greater;
    }
}

void multi_spike_take_output(struct multi_spike *multi_spike, const struct tempotron *tempotron,
                             const struct pattern *pattern, size_t output)
{
    const float *weight = tempotron->weight + output;
    double slow = 0, fast = 0;
    for (size_t e = 0; e < multi_spike->intervals; e++) {
        multi_spike->slow[e] = slow;
        multi_spike->fast[e] = fast;
        if (e == pattern->count)
            break;
        const size_t afferent = pattern->afferent[multi_spike->timeline->order[e]];
        const double w = multi_spike->constants.v0 * (double)weight[afferent * tempotron->stride];
        slow = psp_settle(slow * multi_spike->timeline->decay_slow[e]) + w;
        fast = psp_settle(fast * multi_spike->timeline->decay_fast[e]) - w;
    }
    find_bounds(multi_spike, multi_spike->bound);
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

static bool rises(const struct multi_spike *multi_spike, const struct stretch *stretch)
{
    return stretch->slow / multi_spike->constants.slow +
               stretch->fast / multi_spike->constants.fast <
           0;
}

static bool falls_at_end(const struct multi_spike *multi_spike, const struct stretch *stretch)
{
    return stretch->slow / multi_spike->constants.slow +
               stretch->fast / multi_spike->constants.fast * stretch->decay_turn >
           0;
}

static void find_stretch_decays(const struct multi_spike *multi_spike, struct stretch *stretch)
{
    const double slow = multi_spike->constants.slow, fast = multi_spike->constants.fast;
    stretch->decay_slow = exp_nonpositive(-stretch->length / slow);
    stretch->decay_fast = exp_nonpositive(-stretch->length / fast);
    stretch->decay_turn = exp_nonpositive(-stretch->length * (1 / fast - 1 / slow));
}

/* An interval as a whole, with `reset` of threshold at its begin. */
static struct stretch whole_interval(const struct multi_spike *multi_spike, size_t interval,
                                     double reset)
{
    return (struct stretch){
        .slow = multi_spike->slow[interval] - multi_spike->resets_slow * reset,
        .fast = multi_spike->fast[interval] - (1 - multi_spike->resets_slow) * reset,
        .length = multi_spike->begin[interval + 1] - multi_spike->begin[interval],
        .decay_slow = multi_spike->timeline->decay_slow[interval],
        .decay_fast = multi_spike->timeline->decay_fast[interval],
        .decay_turn = multi_spike->timeline->turn[interval],
    };
}

/* What is left of it from u on, after a reset there. Its decays are not filled. */
static void cut(const struct multi_spike *multi_spike, double u, double reset,
                struct stretch *stretch)
{
    stretch->slow = stretch->slow * exp_nonpositive(-u / multi_spike->constants.slow) -
                    multi_spike->resets_slow * reset;
    stretch->fast = stretch->fast * exp_nonpositive(-u / multi_spike->constants.fast) -
                    (1 - multi_spike->resets_slow) * reset;
    stretch->length -= u;
}

/* The voltage's extremum is at u* = tau tau_s/(tau - tau_s) ln(-fast tau/(slow tau_s)). */
static double turning_point(const struct multi_spike *multi_spike, const struct stretch *stretch)
{
    const double slow = multi_spike->constants.slow, fast = multi_spike->constants.fast;
    const double u =
        slow * fast / (slow - fast) * logarithm(-stretch->fast * slow / (stretch->slow * fast));
    return u >= 0 && u <= stretch->length ? u : stretch->length;
}

/* The highest voltage of a stretch that rises, its time, and whether V falls from there on. */
struct top {
    double v;
    double u;
    bool is_turn;
};

static struct top find_top(const struct multi_spike *multi_spike, const struct stretch *stretch)
{
    const double slow = multi_spike->constants.slow, fast = multi_spike->constants.fast;
    if (!falls_at_end(multi_spike, stretch))
        return (struct top){.v = stretch->slow * stretch->decay_slow +
                                 stretch->fast * stretch->decay_fast,
                            .u = stretch->length};
    const double u = turning_point(multi_spike, stretch);
    return (struct top){.v = stretch->slow * (1 - fast / slow) * exp_nonpositive(-u / slow),
                        .u = u,
                        .is_turn = true};
}

/* Where to begin to look for the crossing: by the parabola at a maximum, else by the chord, which
 * runs below the voltage. */
static double guess(const struct multi_spike *multi_spike, const struct stretch *stretch,
                    const struct top *top, double threshold)
{
    const double slow = multi_spike->constants.slow, fast = multi_spike->constants.fast;
    const double begin = stretch->slow + stretch->fast;
    double u = top->u * (threshold - begin) / (top->v - begin);
    if (top->is_turn)
        u = top->u - sqrt(2 * (top->v - threshold) / top->v * slow * fast);
    return u > 0 && u <= top->u ? u : 0;
}

/* Where a stretch that rises to the threshold or higher crosses it, and how steeply. Newton's step
 * from the right lands on the left, steps from the left stay there; once the voltage is not below
 * the threshold, rounding is all that is left. */
static double find_crossing(const struct multi_spike *multi_spike, const struct stretch *stretch,
                            const struct top *top, double threshold, double *ret_slope)
{
    const double per_slow = 1 / multi_spike->constants.slow,
                 per_fast = 1 / multi_spike->constants.fast;
    double u = guess(multi_spike, stretch, top, threshold), slope = 0;
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

void multi_spike_choose(struct multi_spike *multi_spike, double min_threshold)
{
    size_t count = 0;
    for (size_t e = 0; e < multi_spike->intervals; e++) {
        multi_spike->eligible[count] = (uint32_t)e;
        count += multi_spike->bound[e] >= min_threshold;
    }
    multi_spike->eligible_count = count;
}

static void add_reset(const struct multi_spike *multi_spike, double time, struct trace *resets)
{
    *resets = (struct trace){1 + trace_at(resets, multi_spike->tau, time), time};
}

/* All spikes within one interval; the trace has those before it. */
static void fire_in_interval(const struct multi_spike *multi_spike, size_t interval,
                             double threshold, struct trace *resets, struct spike_train *train)
{
    double now = multi_spike->begin[interval];
    const double left = trace_at(resets, multi_spike->tau, now);
    struct stretch stretch = whole_interval(multi_spike, interval, threshold * left);
    while (rises(multi_spike, &stretch) && train->count < train->max) {
        double slope;
        const struct top top = find_top(multi_spike, &stretch);
        if (!(top.v >= threshold))
            return;
        const double u = find_crossing(multi_spike, &stretch, &top, threshold, &slope);
        now = fmin(now + u, multi_spike->begin[interval + 1]);
        train->time[train->count] = now;
        train->slope[train->count] = slope;
        train->interval[train->count] = (uint32_t)interval;
        train->count++;
        add_reset(multi_spike, now, resets);
        cut(multi_spike, u, threshold, &stretch);
        find_stretch_decays(multi_spike, &stretch);
    }
}

void multi_spike_fire_chosen(const struct multi_spike *multi_spike, double threshold,
                             struct spike_train *train)
{
    struct trace resets = {0};
    train->count = 0;
    for (size_t i = 0; i < multi_spike->eligible_count && train->count < train->max; i++)
        if (multi_spike->bound[multi_spike->eligible[i]] >= threshold)
            fire_in_interval(multi_spike, multi_spike->eligible[i], threshold, &resets, train);
}

void multi_spike_fire(struct multi_spike *multi_spike, double threshold, struct spike_train *train)
{
    multi_spike_choose(multi_spike, threshold);
    multi_spike_fire_chosen(multi_spike, threshold, train);
}

/* The voltage at t = 0 .. steps - 1: each interval's two exponentials, less what is left of the
 * resets.
 */
void multi_spike_sample(const struct multi_spike *multi_spike, double threshold,
                        const struct spike_train *train, size_t steps, float *v)
{
    struct trace resets = {0};
    size_t e = 0, s = 0;
    for (size_t t = 0; t < steps; t++) {
        const double now = (double)t;
        while (e + 1 < multi_spike->intervals && multi_spike->begin[e + 1] < now)
            e++;
        for (; s < train->count && train->time[s] < now; s++)
            add_reset(multi_spike, train->time[s], &resets);
        const double u = now - multi_spike->begin[e];
        const double left = trace_at(&resets, multi_spike->tau, now);
        v[t] = (float)(multi_spike->slow[e] * exp_nonpositive(-u / multi_spike->constants.slow) +
                       multi_spike->fast[e] * exp_nonpositive(-u / multi_spike->constants.fast) -
                       threshold * left);
    }
}

/* --- maxima --- */

struct peak multi_spike_v_max(const struct multi_spike *multi_spike)
{
    struct peak best = {0};
    for (size_t e = 0; e < multi_spike->intervals; e++) {
        if (!(multi_spike->bound[e] > best.v))
            continue;
        const struct stretch interval = whole_interval(multi_spike, e, 0);
        if (!rises(multi_spike, &interval))
            continue; /* its begin was the end of the interval before */
        const struct top top = find_top(multi_spike, &interval);
        if (top.v > best.v)
            best = (struct peak){.v = top.v, .time = multi_spike->begin[e] + top.u, .interval = e};
    }
    return best;
}

struct peak multi_spike_peak(const struct multi_spike *multi_spike, double threshold,
                             const struct spike_train *train, size_t before)
{
    const size_t interval = train->interval[before];
    double now = multi_spike->begin[interval];
    struct trace resets = {0};
    size_t s = 0;
    for (; s < before && train->interval[s] < interval; s++)
        add_reset(multi_spike, train->time[s], &resets);
    const double left = trace_at(&resets, multi_spike->tau, now);
    struct stretch stretch = whole_interval(multi_spike, interval, threshold * left);
    for (; s < before; s++) {
        cut(multi_spike, train->time[s] - now, threshold, &stretch);
        now = train->time[s];
    }
    find_stretch_decays(multi_spike, &stretch);
    const struct top top = find_top(multi_spike, &stretch);
    return (struct peak){.v = top.v, .time = now + top.u, .interval = interval};
}
