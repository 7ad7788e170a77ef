#include "core/reading.h"

#include <math.h>

#include "core/activity.h"
#include "core/network.h"
#include "core/spike_count_reading.h"
#include "core/v_max_reading.h"

void reading_scratch_init(struct reading_scratch *scratch, const struct network *network,
                          size_t capacity, bool searches, struct arena *arena)
{
    const uint32_t max_spikes = read_out_max_spikes(&network->params.read_out);
    *scratch = (struct reading_scratch){0};
    membranes_init(&scratch->membranes, network_widest_block(network), arena);
    if (max_spikes > 0)
        spike_counter_init(&scratch->counter, capacity, max_spikes, searches, arena);
}

/* A neuron whose voltage has overflowed may fire at no time that is a number. The next layer takes
 * that for silence. */
static bool hidden_spikes_are_finite(const struct network *network, const struct activity *activity)
{
    for (size_t l = 0; l + 1 < network->depth; l++)
        for (size_t j = 0; j < layer_neurons(&network->layers[l]); j++)
            if (!isfinite(activity->layers[l].spike[j]))
                return false;
    return true;
}

static bool take(const struct network *network, const struct reading_task *task,
                 struct reading_scratch *scratch, struct activity *activity,
                 struct layer_gradient *gradient, struct reading *ret_reading)
{
    switch (network->params.read_out.kind) {
    case READ_OUT_V_MAX:
        v_max_reading_take(network, task, &scratch->membranes, activity, gradient, ret_reading);
        return true;
    case READ_OUT_SPIKE_COUNT:
        return spike_count_reading_take(network, task, &scratch->counter, activity, gradient,
                                        ret_reading);
    }
    return false;
}

bool reading_take(const struct network *network, const struct reading_task *task,
                  struct reading_scratch *scratch, struct activity *activity,
                  struct layer_gradient *gradient, struct reading *ret_reading)
{
    if (!take(network, task, scratch, activity, gradient, ret_reading))
        return false;
    if (!hidden_spikes_are_finite(network, activity))
        ret_reading->loss = NAN;
    return true;
}
