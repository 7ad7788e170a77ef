#include "dense.h"

#include <math.h>

static double bracket(double t, double tau, double tau_s)
{
    return t < 0 ? 0 : exp(-t / tau) - exp(-t / tau_s);
}

double dense_voltage(const struct dense_kernel *kernel, const struct dense_spikes *spikes, double t)
{
    const double tau = kernel->tau, tau_s = kernel->tau_s;
    const double t_peak = tau * tau_s * log(tau / tau_s) / (tau - tau_s);
    const double v0 = kernel->v_threshold / bracket(t_peak, tau, tau_s);
    double v = 0;
    for (size_t i = 0; i < spikes->count; i++)
        if (spikes->time[i] >= 0)
            v += spikes->weight[i] * v0 * bracket(t - (double)spikes->time[i], tau, tau_s);
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
        if (spikes->time[i] >= 0 && (double)spikes->time[i] <= end)
            look(kernel, spikes, (double)spikes->time[i], &best);
    const double around = best.time;
    refine(kernel, spikes, fmax(around - step, 0), fmin(around + step, end), &best);
    *ret_time = best.time;
    return best.v;
}
