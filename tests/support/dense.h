/* dense.h - the voltage by its definition: every spike's potential, summed at any time. Slow, in
 * double precision, and free of everything that makes the core fast. */
#ifndef TESTS_SUPPORT_DENSE_H
#define TESTS_SUPPORT_DENSE_H

#include <stddef.h>

enum { DENSE_MAX_SPIKES = 256 }; /* of the functions that go by gaps */

/* Spikes of weight w at times t. */
struct dense_spikes {
    size_t count;
    const double *weight;
    const double *time; /* negative: silent */
};

struct dense_kernel {
    double tau;
    double tau_s;
    double v_threshold;
};

/* V(t) = sum_i w_i K(t - t_i). */
double dense_voltage(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                     double t);

/* The greatest voltage at t = 0 .. steps - 1, and the first such t. */
double dense_grid_max(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                      size_t steps, double *ret_time);

/* The greatest voltage on [0, end]: on a grid of 1e-3, at every spike, and then by golden section
 * around the best of them. */
double dense_continuous_max(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                            double end, double *ret_time);

/* V(t) of an output that has fired at time[fired], each of which was reset by the threshold. */
double dense_voltage_with_reset(const struct dense_kernel *kernel,
                                const struct dense_spikes *spikes, double threshold,
                                const double *time, size_t fired, double t);

/* Fires in steps of `step` on [0, end]. Fills time[most] and returns how many spikes there are. */
size_t dense_fire(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                  double threshold, double end, double step, double *time, size_t most);
/* dense_continuous_max(), gap by gap between the spikes: within one the voltage has one extremum at
 * most. Quicker, and as exact as its arithmetic, so that differences of it make derivatives. */
double dense_intervals_max(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                           double end, double *ret_time);

/* When the voltage first reaches v_threshold, or -1, and its slope there: on the grid where and as
 * the line between two steps does; on [0, end] exactly. */
double dense_grid_crossing(const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                           size_t steps, double *ret_slope);
double dense_intervals_crossing(const struct dense_kernel *kernel,
                                const struct dense_spikes *spikes, double end, double *ret_slope);

#endif
