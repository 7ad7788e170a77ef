/* critical_threshold.c - the bracket is halved until the voltage's touching point is known; then
 * Newton's method finds theta* and two trials beside it prove that it did. */
#include "core/critical_threshold.h"

#include <math.h>

enum { HALVINGS = 200 }; /* 53 would do, if no trial at Newton's estimate ever failed */

static const double ulp = 0x1p-52;

void critical_search_init(struct critical_search *search, size_t max_k, struct arena *arena)
{
    spike_train_init(&search->below, max_k, arena);
    spike_train_init(&search->above, max_k, arena);
    spike_train_init(&search->trial, max_k, arena);
}

/* --- the spikes before t* --- */

/* V' at a spike that only just reached the threshold may be rounded to 0. */
static double slope_of(const struct multi_spike *multi_spike, double theta, double slope)
{
    return fmax(slope, 1e-12 * theta / multi_spike->tau);
}

/* A: by how much V(t*) - theta falls for each theta, `before` spikes of the train preceding t*. */
static double fall_by_theta(const struct multi_spike *multi_spike, double theta,
                            const struct spike_train *train, size_t before, double time)
{
    struct trace resets = {0}, shifts = {0}; /* of e_jx, and of e_jx a_j */
    for (size_t s = 0; s < before; s++) {
        const double now = train->time[s];
        const double C = 1 + trace_at(&resets, multi_spike->tau, now);
        const double shift = trace_at(&shifts, multi_spike->tau, now);
        const double a =
            (C + theta / multi_spike->tau * shift) / slope_of(multi_spike, theta, train->slope[s]);
        resets = (struct trace){.sum = C, .time = now};
        shifts = (struct trace){.sum = shift + a, .time = now};
    }
    return 1 + trace_at(&resets, multi_spike->tau, time) +
           theta / multi_spike->tau * trace_at(&shifts, multi_spike->tau, time);
}

/* The first spike that is there at the one threshold and not, hardly later, at the other. */
static size_t find_lost_spike(const struct multi_spike *multi_spike,
                              const struct spike_train *below, const struct spike_train *above)
{
    const double close = 1e-9 * multi_spike->tau;
    for (size_t s = 0; s < above->count; s++)
        if (above->interval[s] != below->interval[s] && above->time[s] - below->time[s] > close)
            return s;
    return above->count;
}

/* --- the search --- */

/* theta* is in [low, high): at `low` there are k spikes, at `high` fewer. */
struct bracket {
    size_t k;
    double low;
    double high;
};

static void swap(struct spike_train *a, struct spike_train *b)
{
    const struct spike_train c = *a;
    *a = *b;
    *b = c;
}

/* Narrows the bracket to one side of theta, if that is within. */
static void try_threshold(struct multi_spike *multi_spike, double theta,
                          struct critical_search *search, struct bracket *bracket)
{
    if (!(theta > bracket->low && theta < bracket->high))
        return;
    search->trial.max = bracket->k;
    multi_spike_fire_chosen(multi_spike, theta, &search->trial);
    if (search->trial.count == bracket->k) {
        swap(&search->trial, &search->below);
        bracket->low = theta;
        multi_spike_choose(multi_spike, theta);
    } else {
        swap(&search->trial, &search->above);
        bracket->high = theta;
    }
}

/* One step of Newton's method from the lower end, and trials on both sides of its result. */
static void try_estimate(struct multi_spike *multi_spike, struct critical_search *search,
                         struct bracket *bracket)
{
    const double low = bracket->low;
    const size_t before = find_lost_spike(multi_spike, &search->below, &search->above);
    const struct peak peak = multi_spike_peak(multi_spike, low, &search->below, before);
    const double A = fall_by_theta(multi_spike, low, &search->below, before, peak.time);
    const double step = fmax((peak.v - low) / A, 0);
    const double margin = fmax(1e-3 * step, 2 * ulp * low);
    try_threshold(multi_spike, low + step + margin, search, bracket);
    try_threshold(multi_spike, low + step - margin, search, bracket);
}

static void narrow(struct multi_spike *multi_spike, struct critical_search *search,
                   struct bracket *bracket)
{
    for (int i = 0; i < HALVINGS; i++) {
        const double width = bracket->high - bracket->low;
        if (!(width > 4 * ulp * bracket->high))
            break;
        if (width < bracket->high / 64)
            try_estimate(multi_spike, search, bracket);
        if (bracket->high - bracket->low > width / 2)
            try_threshold(multi_spike, bracket->low + (bracket->high - bracket->low) / 2, search,
                          bracket);
    }
}

/* At `low` there are k spikes, unless rounding loses one; a lower threshold is safe from that. */
static bool open_bracket(struct multi_spike *multi_spike, struct critical_search *search,
                         struct bracket *bracket)
{
    search->below.max = bracket->k;
    for (double low = bracket->low * (1 - 4 * ulp); low > bracket->low / 4; low *= 0.9) {
        multi_spike_choose(multi_spike, low);
        multi_spike_fire_chosen(multi_spike, low, &search->below);
        if (search->below.count == bracket->k) {
            bracket->low = low;
            return true;
        }
    }
    return false;
}

bool critical_threshold_find(struct multi_spike *multi_spike, size_t k, double hint,
                             struct critical_search *search,
                             struct critical_threshold *ret_critical)
{
    const struct peak v_max = multi_spike_v_max(multi_spike);
    if (!(v_max.v > 0) || !isfinite(v_max.v))
        return false;
    if (k == 1) {
        *ret_critical = (struct critical_threshold){
            .theta = v_max.v, .time = v_max.time, .interval = v_max.interval};
        return true;
    }
    struct bracket bracket = {.k = k, .low = v_max.v / (double)k, .high = v_max.v * (1 + 4 * ulp)};
    search->above.count = 0;
    if (!open_bracket(multi_spike, search, &bracket))
        return false;
    try_threshold(multi_spike, hint, search, &bracket);
    narrow(multi_spike, search, &bracket);
    const size_t before = find_lost_spike(multi_spike, &search->below, &search->above);
    const struct peak peak = multi_spike_peak(multi_spike, bracket.low, &search->below, before);
    *ret_critical = (struct critical_threshold){
        .theta = bracket.low, .time = peak.time, .interval = peak.interval, .before = before};
    return true;
}

struct critical_threshold critical_threshold_of_silent(const struct multi_spike *multi_spike)
{
    const size_t last = multi_spike->intervals - 1;
    const double time =
        fmin(multi_spike->begin[last] + multi_spike->t_peak, multi_spike->begin[last + 1]);
    return (struct critical_threshold){.time = time, .interval = last};
}

/* --- the gradient --- */

/* Fills below.credit with g of each spike before t*. Returns that of t* itself. */
static double solve_backwards(const struct multi_spike *multi_spike,
                              const struct critical_threshold *critical,
                              const struct spike_train *train)
{
    const double theta = critical->theta;
    const double A = fall_by_theta(multi_spike, theta, train, critical->before, critical->time);
    double sum = 1 / A, later = critical->time; /* of e_xl g_l over the later ones */
    for (size_t s = critical->before; s-- > 0;) {
        const double now = train->time[s];
        sum *= exp_nonpositive((now - later) / multi_spike->tau);
        train->credit[s] =
            theta / multi_spike->tau * sum / slope_of(multi_spike, theta, train->slope[s]);
        sum += train->credit[s];
        later = now;
    }
    return 1 / A;
}

/* Sums of g exp(-(t_x - t)/constants) over the t_x after t. */
struct sums {
    double slow;
    double fast;
};

static void add_point(const struct multi_spike *multi_spike, double g, double lead,
                      struct sums *sums)
{
    sums->slow += g * exp_nonpositive(-lead / multi_spike->constants.slow);
    sums->fast += g * exp_nonpositive(-lead / multi_spike->constants.fast);
}

void critical_threshold_credit(const struct multi_spike *multi_spike,
                               const struct critical_threshold *critical,
                               struct critical_search *search, double *credit)
{
    const struct spike_train *train = &search->below;
    const double g = solve_backwards(multi_spike, critical, train);
    const size_t spikes = multi_spike->intervals - 1;
    struct sums sums = {0};
    size_t left = critical->before;
    for (size_t e = critical->interval; e < spikes; e++)
        credit[multi_spike->timeline->order[e]] = 0;
    for (size_t e = critical->interval; e > 0; e--) { /* spike e - 1 begins interval e */
        const double begin = multi_spike->begin[e];
        sums.slow = psp_settle(sums.slow * multi_spike->timeline->decay_slow[e]);
        sums.fast = psp_settle(sums.fast * multi_spike->timeline->decay_fast[e]);
        if (e == critical->interval) {
            sums = (struct sums){0};
            add_point(multi_spike, g, critical->time - begin, &sums);
        }
        for (; left > 0 && train->interval[left - 1] == e; left--)
            add_point(multi_spike, train->credit[left - 1], train->time[left - 1] - begin, &sums);
        credit[multi_spike->timeline->order[e - 1]] =
            multi_spike->constants.v0 * (sums.slow - sums.fast);
    }
}
