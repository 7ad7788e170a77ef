/* dense.h - the voltage by its definition: every spike's potential, summed at any time. Slow, in
 * double precision, and free of everything that makes the core fast. */
#ifndef TESTS_DENSE_H
#define TESTS_DENSE_H

#include <stddef.h>

/* Spikes of weight w at times t. */
struct dense_spikes {
    size_t count;
    const double *weight;
    const float *time;
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

#endif
