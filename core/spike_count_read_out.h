/* spike_count_read_out.h - reads out how often each output fires, and learns aggregate labels: how
 * many spikes are wanted of a sample, but not when (Gütig, Science 351, 2016).
 *
 * An output that has fired o times although d were wanted learns from the threshold at which it
 * would gain or lose one spike (critical_threshold.h):
 *
 *     o < d: w <- w + lambda d theta*_(o+1) / dw        o > d: w <- w - lambda d theta*_o / dw
 *
 * summed over a batch and divided by its size. Outputs without an error in a batch do not step,
 * momentum included, as in the paper. An output that cannot fire at any threshold learns from the
 * time at which its last input spike's potential peaks. The loss of a sample is the sum of |o - d|
 * over its outputs.
 *
 * This is for one layer, on CLOCK_CONTINUOUS, and bounded: spikes are counted up to a limit. */
#ifndef CORE_SPIKE_COUNT_READ_OUT_H
#define CORE_SPIKE_COUNT_READ_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "core/tempotron.h"

struct spike_count_read_out {
    uint32_t max_spikes; /* the limit of counting, above any wanted number */
};

/* See read_out_work(); that is for outputs that each fire max_spikes times, at worst. */
uint64_t spike_count_read_out_work(const struct spike_count_read_out *read_out,
                                   const struct tempotron_params *params, size_t spikes);

/* The work of finding the outputs' critical thresholds for 1 .. k_max spikes, and their voltages.
 */
uint64_t spike_count_read_out_thresholds_work(const struct tempotron_params *params, size_t k_max,
                                              size_t spikes);
uint64_t spike_count_read_out_voltages_work(const struct tempotron_params *params);

#endif
