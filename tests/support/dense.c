#include "tests/support/dense.h"

#include <math.h>
#include <stdlib.h>

static double bracket(double t, double tau, double tau_s)
{
    return t < 0 ? 0 : exp(-t / tau) - exp(-t / tau_s);
}

static double v0_of(const struct dense_kernel *kernel)
{
    const double tau = kernel->tau, tau_s = kernel->tau_s;
    const double t_peak = tau * tau_s * log(tau / tau_s) / (tau - tau_s);
    return kernel->v_threshold / bracket(t_peak, tau, tau_s);
}

double dense_voltage(const struct dense_kernel *kernel, const struct dense_spikes *spikes, double t)
{
    const double tau = kernel->tau, tau_s = kernel->tau_s, v0 = v0_of(kernel);
    double v = 0;
    for (size_t i = 0; i < spikes->count; i++)
        if (spikes->time[i] >= 0)
            v += spikes->weight[i] * v0 * bracket(t - spikes->time[i], tau, tau_s);
    return v;
}

struct best {
    double v;
    double time;
};

static void look(const struct dense_kernel *kernel, const struct dense_spikes *spikes, double t,
                 struct best *best)
{
    const double v = dense_voltage(kernel, spikes, t);
    if (v > best->v)
        *best = (struct best){.v = v, .time = t};
}

double dense_grid_max(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                      size_t steps, double *ret_time)
{
    struct best best = {.v = -INFINITY};
    for (size_t t = 0; t < steps; t++)
        look(kernel, spikes, (double)t, &best);
    *ret_time = best.time;
    return best.v;
}

/* Around a grid's best point the voltage has one maximum, which may be a kink. */
static void refine(const struct dense_kernel *kernel, const struct dense_spikes *spikes, double low,
                   double high, struct best *best)
{
    static const double section = 0.6180339887498949;
    for (int i = 0; i < 60; i++) {
        const double a = high - section * (high - low), b = low + section * (high - low);
        if (dense_voltage(kernel, spikes, a) > dense_voltage(kernel, spikes, b))
            high = b;
        else
            low = a;
    }
    look(kernel, spikes, (low + high) / 2, best);
}

double dense_continuous_max(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                            double end, double *ret_time)
{
    static const double step = 1e-3;
    struct best best = {.v = -INFINITY};
    for (double t = 0; t < end; t += step)
        look(kernel, spikes, t, &best);
    look(kernel, spikes, end, &best);
    for (size_t i = 0; i < spikes->count; i++)
        if (spikes->time[i] >= 0 && spikes->time[i] <= end)
            look(kernel, spikes, spikes->time[i], &best);
    const double around = best.time;
    refine(kernel, spikes, fmax(around - step, 0), fmin(around + step, end), &best);
    *ret_time = best.time;
    return best.v;
}

double dense_voltage_with_reset(const struct dense_kernel *kernel,
                                const struct dense_spikes *spikes, double threshold,
                                const double *time, size_t fired, double t)
{
    double v = dense_voltage(kernel, spikes, t);
    for (size_t s = 0; s < fired; s++)
        v -= threshold * exp((time[s] - t) / kernel->tau);
    return v;
}

size_t dense_fire(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                  double threshold, double end, double step, double *time, size_t most)
{
    size_t count = 0;
    for (double t = 0; t <= end && count < most; t += step)
        if (dense_voltage_with_reset(kernel, spikes, threshold, time, count, t) >= threshold)
            time[count++] = t;
    return count;
}

/* --- gap by gap --- */

/* The spikes by time; of those from 0 up to `end` alone. */
struct by_time {
    struct dense_spikes spikes;
    double weight[DENSE_MAX_SPIKES];
    double time[DENSE_MAX_SPIKES];
};

static void insert(struct by_time *sorted, double weight, double time)
{
    size_t at = sorted->spikes.count++;
    for (; at > 0 && sorted->time[at - 1] > time; at--) {
        sorted->time[at] = sorted->time[at - 1];
        sorted->weight[at] = sorted->weight[at - 1];
    }
    sorted->time[at] = time;
    sorted->weight[at] = weight;
}

static void sort(const struct dense_spikes *spikes, double end, struct by_time *sorted)
{
    if (spikes->count > DENSE_MAX_SPIKES)
        abort();
    sorted->spikes =
        (struct dense_spikes){.count = 0, .weight = sorted->weight, .time = sorted->time};
    for (size_t i = 0; i < spikes->count; i++)
        if (spikes->time[i] >= 0 && spikes->time[i] <= end)
            insert(sorted, spikes->weight[i], spikes->time[i]);
}

/* A gap and the spikes before it, as if no other followed. */
struct gap {
    struct dense_spikes spikes;
    double begin, end;
};

/* The gaps 0 .. count, of which there is one more than spikes. */
static struct gap gap_of(const struct by_time *sorted, size_t number, double end)
{
    struct gap gap = {.spikes = sorted->spikes};
    gap.spikes.count = number;
    gap.begin = number == 0 ? 0 : sorted->time[number - 1];
    gap.end = number == sorted->spikes.count ? end : sorted->time[number];
    return gap;
}

static double slope(const struct dense_kernel *kernel, const struct dense_spikes *spikes, double t)
{
    const double tau = kernel->tau, tau_s = kernel->tau_s, v0 = v0_of(kernel);
    double sum = 0;
    for (size_t i = 0; i < spikes->count; i++) {
        const double since = t - spikes->time[i];
        sum += spikes->weight[i] * v0 * (exp(-since / tau_s) / tau_s - exp(-since / tau) / tau);
    }
    return sum;
}

/* The time of a gap's greatest voltage: where it stops rising, or at one of its ends. */
static double gap_peak(const struct dense_kernel *kernel, const struct gap *gap)
{
    double low = gap->begin, high = gap->end;
    if (slope(kernel, &gap->spikes, low) <= 0 || slope(kernel, &gap->spikes, high) >= 0)
        return dense_voltage(kernel, &gap->spikes, low) >= dense_voltage(kernel, &gap->spikes, high)
                   ? low
                   : high;
    for (int i = 0; i < 60; i++) {
        const double middle = (low + high) / 2;
        if (slope(kernel, &gap->spikes, middle) > 0)
            low = middle;
        else
            high = middle;
    }
    return low;
}

double dense_intervals_max(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                           double end, double *ret_time)
{
    struct by_time sorted;
    struct best best = {.v = 0};
    sort(spikes, end, &sorted);
    for (size_t number = 0; number <= sorted.spikes.count; number++) {
        const struct gap gap = gap_of(&sorted, number, end);
        look(kernel, &gap.spikes, gap_peak(kernel, &gap), &best);
    }
    *ret_time = best.time;
    return best.v;
}

double dense_intervals_crossing(const struct dense_kernel *kernel,
                                const struct dense_spikes *spikes, double end, double *ret_slope)
{
    struct by_time sorted;
    sort(spikes, end, &sorted);
    for (size_t number = 0; number <= sorted.spikes.count; number++) {
        const struct gap gap = gap_of(&sorted, number, end);
        double low = gap.begin, high = gap_peak(kernel, &gap);
        if (dense_voltage(kernel, &gap.spikes, high) < kernel->v_threshold)
            continue;
        for (int i = 0; i < 60; i++) {
            const double middle = (low + high) / 2;
            if (dense_voltage(kernel, &gap.spikes, middle) < kernel->v_threshold)
                low = middle;
            else
                high = middle;
        }
        *ret_slope = slope(kernel, &gap.spikes, high);
        return high;
    }
    return -1;
}

/* --- on the grid --- */

double dense_grid_crossing(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                           size_t steps, double *ret_slope)
{
    double before = 0;
    for (size_t t = 0; t < steps; t++) {
        const double v = dense_voltage(kernel, spikes, (double)t);
        if (v >= kernel->v_threshold) {
            *ret_slope = v - before;
            return (double)t - (v - kernel->v_threshold) / (v - before);
        }
        before = v;
    }
    return -1;
}
