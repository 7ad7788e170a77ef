#include "core/spike_count_reading.h"

#include <string.h>

#include "core/activity.h"
#include "core/layer_gradient.h"
#include "core/network.h"

/* What one sample is counted and learned with. */
struct counting {
    const struct network *network;
    const struct reading_task *task;
    struct spike_counter *counter;
    const struct pattern *pattern;
    struct layer_gradient *gradient;
};

/* Fills an output's column of the credit: the loss's derivative by its weights is that of the
 * threshold at which it gains or loses a spike, with the sign that descends. */
static void find_credit(const struct counting *counting, size_t output, size_t count,
                        uint32_t wanted)
{
    const struct network_params *params = &counting->network->params;
    const size_t max_spikes = params->read_out.spike_count.max_spikes;
    const double share = (count < wanted ? -1 : 1) / (double)counting->task->batch;
    const size_t more = count + 1 < max_spikes ? count + 1 : max_spikes;
    struct spike_counter *counter = counting->counter;
    struct credit *credit = &counting->gradient->credit[output / BLOCK_NEURONS];
    struct critical_threshold critical;
    if (!critical_threshold_find(&counter->multi_spike, count < wanted ? more : count,
                                 params->tempotron.v_threshold, &counter->search, &critical))
        critical = critical_threshold_of_silent(&counter->multi_spike);
    critical_threshold_credit(&counter->multi_spike, &critical, &counter->search, counter->credit);
    if (credit->is_zero)
        memset(credit->rise, 0, counting->pattern->count * credit->stride * sizeof *credit->rise);
    credit->is_zero = false;
    float *column = credit->rise + output % BLOCK_NEURONS;
    for (size_t s = 0; s < counting->pattern->count; s++)
        column[s * credit->stride] = (float)(share * counter->credit[s]);
    counting->gradient->amount[output] = (float)share;
}

static void count_output(const struct counting *counting, const struct layer *layer, size_t output,
                         struct reading *reading)
{
    const struct targets *targets = counting->task->targets;
    const uint32_t wanted = targets->wanted[counting->task->sample * targets->outputs + output];
    const size_t count = spike_counter_count(counting->counter, layer, counting->pattern, output);
    reading->correct += count == wanted;
    reading->loss += (double)(count > wanted ? count - wanted : wanted - count);
    if (count != wanted && counting->gradient != NULL)
        find_credit(counting, output, count, wanted);
}

static void clear_gradient(const struct layer *layer, struct layer_gradient *gradient)
{
    memset(gradient->amount, 0, layer->width * sizeof *gradient->amount);
    for (size_t b = 0; b < layer->block_count; b++)
        gradient->credit[b].is_zero = true;
}

bool spike_count_reading_take(const struct network *network, const struct reading_task *task,
                              struct spike_counter *counter, struct activity *activity,
                              struct layer_gradient *gradient, struct reading *ret_reading)
{
    const struct layer *layer = &network->layers[network->depth - 1];
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    const size_t outputs = layer_neurons(layer);
    const struct counting counting = {network, task, counter, &last->pattern, gradient};
    struct reading reading = {.decisions = outputs, .label = READING_UNDECIDED};
    if (gradient != NULL)
        clear_gradient(layer, gradient);
    spike_counter_take_pattern(counter, layer, &last->pattern, &last->timeline);
    for (size_t j = 0; j < outputs; j++) {
        if (stop_check_requested(task->stop_check))
            return false;
        count_output(&counting, layer, j, &reading);
    }
    *ret_reading = reading;
    return true;
}
