#include "core/reading.h"

#include "core/network.h"
#include "core/spike_count_reading.h"
#include "core/v_max_reading.h"

enum core_status reading_scratch_init(struct reading_scratch *scratch,
                                      const struct network *network, size_t capacity, bool searches)
{
    const uint32_t max_spikes = read_out_max_spikes(&network->params.read_out);
    *scratch = (struct reading_scratch){0};
    enum core_status status = membranes_init(&scratch->membranes, network_widest_block(network));
    if (status == CORE_OK && max_spikes > 0)
        status = spike_counter_init(&scratch->counter, capacity, max_spikes, searches);
    if (status != CORE_OK)
        reading_scratch_finish(scratch);
    return status;
}

void reading_scratch_finish(struct reading_scratch *scratch)
{
    membranes_finish(&scratch->membranes);
    spike_counter_finish(&scratch->counter);
}

bool reading_take(const struct network *network, const struct reading_task *task,
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
