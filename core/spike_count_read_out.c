#include "core/spike_count_read_out.h"

/* Work: measured numbers, rounded up. */
enum {
    SPIKE = 60,             /* that comes in */
    FIRED = 2000,           /* that goes out */
    SEARCHED_SPIKE = 1000,  /* that comes in while a threshold is looked for */
    SEARCHED_FIRED = 40000, /* likewise, that goes out */
    STEP = 200
};

uint64_t spike_count_read_out_work(const struct spike_count_read_out *read_out,
                                   const struct tempotron_params *params, size_t spikes)
{
    return params->out_features *
           (SPIKE * (uint64_t)spikes + FIRED * (uint64_t)read_out->max_spikes);
}

/* For k spikes about k have to be fired in each of the search's steps. */
uint64_t spike_count_read_out_thresholds_work(const struct tempotron_params *params, size_t k_max,
                                              size_t spikes)
{
    const uint64_t k = k_max;
    return params->out_features * (SEARCHED_SPIKE * k * spikes + SEARCHED_FIRED * k * (k + 1) / 2);
}

uint64_t spike_count_read_out_voltages_work(const struct tempotron_params *params)
{
    return (uint64_t)STEP * params->out_features * params->T;
}
