/* critical_threshold.c - the bracket is halved until the voltage's touching point is known; then
 * Newton's method finds theta* and two trials beside it prove that it did. */
#include "critical_threshold.h"

#include <math.h>
#include <string.h>

#include "exponential.h"

enum { HALVINGS = 200 }; /* 53 would do, if no trial at Newton's estimate ever failed */

static const double ulp = 0x1p-52;

enum core_status critical_search_init(struct critical_search *search, size_t most)
{
    *search = (struct critical_search){0};
    enum core_status status = spike_train_init(&search->below, most);
    if (status == CORE_OK)
        status = spike_train_init(&search->above, most);
    if (status == CORE_OK)
        status = spike_train_init(&search->trial, most);
    if (status != CORE_OK)
        critical_search_finish(search);
    return status;
}

void critical_search_finish(struct critical_search *search)
{
    spike_train_finish(&search->below);
    spike_train_finish(&search->above);
    spike_train_finish(&search->trial);
}

/* --- the spikes before t* --- */

/* A sum over earlier spikes that decays with tau. */
struct trace {
    double sum;
    double time;
};

static double trace_at(const struct firing *firing, const struct trace *trace, double time)
{
    return trace->sum > 0 ? trace->sum * exp_nonpositive((trace->time - time) / firing->tau) : 0;
}

/* V' at a spike that only just reached the threshold may be rounded to 0. */
static double slope_of(const struct firing *firing, double theta, double slope)
{
    return fmax(slope, 1e-12 * theta / firing->tau);
}

/* A: by how much V(t*) - theta falls for each theta, `before` spikes of the train preceding t*. */
static double fall_by_theta(const struct firing *firing, double theta,
                            const struct spike_train *train, size_t before, double time)
{
    struct trace resets = {0}, shifts = {0}; /* of e_jx, and of e_jx a_j */
    for (size_t s = 0; s < before; s++) {
        const double now = train->time[s];
        const double C = 1 + trace_at(firing, &resets, now);
        const double shift = trace_at(firing, &shifts, now);
        const double a =
            (C + theta / firing->tau * shift) / slope_of(firing, theta, train->slope[s]);
        resets = (struct trace){.sum = C, .time = now};
        shifts = (struct trace){.sum = shift + a, .time = now};
    }
    return 1 + trace_at(firing, &resets, time) +
           theta / firing->tau * trace_at(firing, &shifts, time);
}

/* The first spike that is there at the one threshold and not, hardly later, at the other. */
static size_t find_lost_spike(const struct firing *firing, const struct spike_train *below,
                              const struct spike_train *above)
{
    const double close = 1e-9 * firing->tau;
    for (size_t s = 0; s < above->count; s++)
        if (above->gap[s] != below->gap[s] && above->time[s] - below->time[s] > close)
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
static void try_threshold(struct firing *firing, double theta, struct critical_search *search,
                          struct bracket *bracket)
{
    if (!(theta > bracket->low && theta < bracket->high))
        return;
    search->trial.most = bracket->k;
    firing_fire_chosen(firing, theta, &search->trial);
    if (search->trial.count == bracket->k) {
        swap(&search->trial, &search->below);
        bracket->low = theta;
        firing_choose(firing, theta);
    } else {
        swap(&search->trial, &search->above);
        bracket->high = theta;
    }
}

/* One step of Newton's from the lower end, and trials on both sides of where it leads. */
static void try_estimate(struct firing *firing, struct critical_search *search,
                         struct bracket *bracket)
{
    const double low = bracket->low;
    const size_t before = find_lost_spike(firing, &search->below, &search->above);
    const struct peak peak = firing_peak(firing, low, &search->below, before);
    const double A = fall_by_theta(firing, low, &search->below, before, peak.time);
    const double step = fmax((peak.v - low) / A, 0);
    const double margin = fmax(1e-3 * step, 2 * ulp * low);
    try_threshold(firing, low + step + margin, search, bracket);
    try_threshold(firing, low + step - margin, search, bracket);
}

static void narrow(struct firing *firing, struct critical_search *search, struct bracket *bracket)
{
    for (int i = 0; i < HALVINGS; i++) {
        const double width = bracket->high - bracket->low;
        if (!(width > 4 * ulp * bracket->high))
            break;
        if (width < bracket->high / 64)
            try_estimate(firing, search, bracket);
        if (bracket->high - bracket->low > width / 2)
            try_threshold(firing, bracket->low + (bracket->high - bracket->low) / 2, search,
                          bracket);
    }
}

/* At `low` there are k spikes but for rounding, which a lower one need not fear. */
static bool open_bracket(struct firing *firing, struct critical_search *search,
                         struct bracket *bracket)
{
    search->below.most = bracket->k;
    for (double low = bracket->low * (1 - 4 * ulp); low > bracket->low / 4; low *= 0.9) {
        firing_choose(firing, low);
        firing_fire_chosen(firing, low, &search->below);
        if (search->below.count == bracket->k) {
            bracket->low = low;
            return true;
        }
    }
    return false;
}

bool critical_threshold_find(struct firing *firing, size_t k, double hint,
                             struct critical_search *search,
                             struct critical_threshold *ret_critical)
{
    const struct peak v_max = firing_v_max(firing);
    if (!(v_max.v > 0) || !isfinite(v_max.v))
        return false;
    if (k == 1) {
        *ret_critical =
            (struct critical_threshold){.theta = v_max.v, .time = v_max.time, .gap = v_max.gap};
        return true;
    }
    struct bracket bracket = {.k = k, .low = v_max.v / (double)k, .high = v_max.v * (1 + 4 * ulp)};
    search->above.count = 0;
    if (!open_bracket(firing, search, &bracket))
        return false;
    try_threshold(firing, hint, search, &bracket);
    narrow(firing, search, &bracket);
    const size_t before = find_lost_spike(firing, &search->below, &search->above);
    const struct peak peak = firing_peak(firing, bracket.low, &search->below, before);
    *ret_critical = (struct critical_threshold){
        .theta = bracket.low, .time = peak.time, .gap = peak.gap, .before = before};
    return true;
}

struct critical_threshold critical_threshold_of_silent(const struct firing *firing)
{
    const size_t last = firing->gaps - 1;
    const double time = fmin(firing->begin[last] + firing->t_peak, firing->begin[last + 1]);
    return (struct critical_threshold){.time = time, .gap = last};
}

/* --- the gradient --- */

/* Fills below.credit with g of each spike before t*. Returns that of t* itself. */
static double solve_backwards(const struct firing *firing,
                              const struct critical_threshold *critical,
                              const struct spike_train *train)
{
    const double theta = critical->theta;
    const double A = fall_by_theta(firing, theta, train, critical->before, critical->time);
    double sum = 1 / A, later = critical->time; /* of e_xl g_l over the later ones */
    for (size_t s = critical->before; s-- > 0;) {
        const double now = train->time[s];
        sum *= exp_nonpositive((now - later) / firing->tau);
        train->credit[s] = theta / firing->tau * sum / slope_of(firing, theta, train->slope[s]);
        sum += train->credit[s];
        later = now;
    }
    return 1 / A;
}

/* Sums of g exp(-(t_x - t)/constants) over the t_x behind t. */
struct sums {
    double slow;
    double fast;
};

static void add_point(const struct firing *firing, double g, double lead, struct sums *sums)
{
    sums->slow += g * exp_nonpositive(-lead / firing->constants.slow);
    sums->fast += g * exp_nonpositive(-lead / firing->constants.fast);
}

void critical_threshold_credit(const struct firing *firing,
                               const struct critical_threshold *critical,
                               struct critical_search *search, double *credit)
{
    const struct spike_train *train = &search->below;
    const double g = solve_backwards(firing, critical, train);
    const size_t spikes = firing->gaps - 1;
    struct sums sums = {0};
    size_t left = critical->before;
    for (size_t e = critical->gap; e < spikes; e++)
        credit[firing->order[e]] = 0;
    for (size_t e = critical->gap; e > 0; e--) { /* spike e - 1 begins gap e */
        const double begin = firing->begin[e];
        sums.slow *= firing->decay_slow[e];
        sums.fast *= firing->decay_fast[e];
        if (e == critical->gap) {
            sums = (struct sums){0};
            add_point(firing, g, critical->time - begin, &sums);
        }
        for (; left > 0 && train->gap[left - 1] == e; left--)
            add_point(firing, train->credit[left - 1], train->time[left - 1] - begin, &sums);
        credit[firing->order[e - 1]] = firing->constants.v0 * (sums.slow - sums.fast);
    }
}
