/* spike_count_reading.h - the reading of READ_OUT_SPIKE_COUNT: how often each output fires, and the
 * credit of the weights for an output that has not fired as often as wanted
 * (spike_count_read_out.h). */
#ifndef CORE_SPIKE_COUNT_READING_H
#define CORE_SPIKE_COUNT_READING_H

#include "core/reading.h"

/* See reading_take(). The counter looks for thresholds of max_spikes if there is a gradient. */
bool spike_count_reading_take(const struct network *network, const struct reading_task *task,
                              struct spike_counter *counter, struct activity *activity,
                              struct layer_gradient *gradient, struct reading *ret_reading);

#endif
