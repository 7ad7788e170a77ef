/* count_work.h - what it costs to count spikes, so that work stays bounded; in units of LIMIT_WORK,
 * about a quarter of a nanosecond each. The numbers are measured ones, rounded up. */
#ifndef SERVER_MODEL_COUNT_WORK_H
#define SERVER_MODEL_COUNT_WORK_H

#include <stddef.h>
#include <stdint.h>

#include "core/tempotron.h"

/* Of a sample of so many spikes, whose outputs each fire max_spikes times at worst. */
uint64_t count_work(const struct tempotron_params *params, size_t max_spikes, size_t spikes);

/* Of its outputs' critical thresholds for 1 .. k_max spikes. */
uint64_t count_thresholds_work(const struct tempotron_params *params, size_t k_max, size_t spikes);

/* Of its outputs' voltages. */
uint64_t count_voltages_work(const struct tempotron_params *params);

#endif
