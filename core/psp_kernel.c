#include "core/psp_kernel.h"

#include "core/exponential.h"

/* exp(-t/tau) - exp(-t/tau_s) as a product, exact also if the two are nearly equal. */
static double bracket(double t, double tau, double tau_s)
{
    const double difference = t / tau_s - t / tau;
    if (difference > 1) /* no cancellation, and exp of it might overflow */
        return exp_nonpositive(-t / tau) - exp_nonpositive(-t / tau_s);
    if (difference < -1)
        return -bracket(t, tau_s, tau);
    return exp_nonpositive(-t / tau_s) * exp_minus_one(difference);
}

double psp_kernel(double t, double tau, double tau_s)
{
    return t < 0 ? 0 : bracket(t, tau, tau_s);
}

void psp_init(struct psp *psp, double tau, double tau_s, double v_threshold)
{
    const double t_peak = tau * tau_s * logarithm_of_ratio(tau, tau_s) / (tau - tau_s);
    const double v0 = v_threshold / bracket(t_peak, tau, tau_s);
    *psp = (struct psp){
        .tau = tau,
        .tau_s = tau_s,
        .v0 = v0,
        .t_peak = t_peak,
        .decay = exp_nonpositive(-1 / tau),
        .decay_s = exp_nonpositive(-1 / tau_s),
        .gain = v0 * bracket(1, tau, tau_s),
    };
}

double psp_value(const struct psp *psp, double t)
{
    return psp->v0 * psp_kernel(t, psp->tau, psp->tau_s);
}
