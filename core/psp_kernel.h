/* psp_kernel.h - the postsynaptic potential, the voltage that one input spike causes.
 *
 *     K(t) = v0 (exp(-t/tau) - exp(-t/tau_s)) for t >= 0, else 0
 *
 * tau is the membrane's time constant, tau_s the synapse's (Gütig & Sompolinsky 2006). v0 scales
 * the peak of K to v_threshold, as SpikingJelly does:
 *
 *     t_peak = tau tau_s ln(tau/tau_s) / (tau - tau_s)
 *     v0     = v_threshold / (exp(-t_peak/tau) - exp(-t_peak/tau_s)) */
#ifndef CORE_PSP_KERNEL_H
#define CORE_PSP_KERNEL_H

/* SpikingJelly's static psp_kernel: only the bracket, without v0. tau, tau_s > 0. */
double psp_kernel(double t, double tau, double tau_s);

/* The kernel of one neuron, and what one step of the grid does to a membrane.
 *
 * A membrane is two numbers: V, the voltage, and M, the slow exponential's sum of w exp(-t/tau).
 * One step takes them to
 *
 *     V <- decay_s V + gain M        M <- decay M        gain = v0 (decay - decay_s)
 *
 * and a spike of weight w on the grid adds w to M. This is the usual pair of exponentials,
 * V = v0 (M - S), in a form in which nothing cancels, however close tau_s is to tau. */
struct psp {
    double tau;
    double tau_s;
    double v0;
    double t_peak;
    double decay;   /* exp(-1/tau) */
    double decay_s; /* exp(-1/tau_s) */
    double gain;
};

/* tau != tau_s, both > 0; v_threshold > 0. */
void psp_init(struct psp *psp, double tau, double tau_s, double v_threshold);

/* A membrane's numbers are 0 once they are smaller than this, which is far below what can change a
 * result in float32. Long after the last spike they would otherwise be too small for a normal
 * double, and stay so: the processor takes many times as long for such numbers. */
static const double psp_negligible = 1e-200;

/* A loop over many neurons settles once in this many steps or spikes, so that it costs next to
 * nothing. */
enum { PSP_SETTLES = 64 };

/* NaN stays NaN. */
static inline double psp_settle(double state)
{
    return ((state < psp_negligible) & (state > -psp_negligible)) ? 0 : state;
}

/* K(t). */
double psp_value(const struct psp *psp, double t);

#endif
