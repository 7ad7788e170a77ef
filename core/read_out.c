#include "core/read_out.h"

#include "core/activity.h"
#include "core/layer_gradient.h"
#include "core/network.h"

size_t read_out_outputs(const struct read_out *read_out, size_t out_features)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return out_features / read_out->v_max.neurons_per_class;
    case READ_OUT_SPIKE_COUNT:
        return out_features;
    }
    return 0;
}

uint64_t read_out_work(const struct read_out *read_out, const struct tempotron_params *params,
                       size_t spikes)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return tempotron_work(params, spikes);
    case READ_OUT_SPIKE_COUNT:
        return spike_count_read_out_work(&read_out->spike_count, params, spikes);
    }
    return 0;
}

enum targets_kind read_out_targets(const struct read_out *read_out)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return TARGETS_CLASS;
    case READ_OUT_SPIKE_COUNT:
        return TARGETS_COUNT;
    }
    return TARGETS_NONE;
}

bool read_out_freezes(const struct read_out *read_out, const struct loss *loss)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return loss->type == LOSS_TEMPOTRON;
    case READ_OUT_SPIKE_COUNT:
        return true;
    }
    return false;
}

bool read_out_finds_credit(const struct read_out *read_out)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return false;
    case READ_OUT_SPIKE_COUNT:
        return true;
    }
    return false;
}

enum core_status read_out_scratch_init(struct read_out_scratch *scratch,
                                       const struct network *network, size_t capacity,
                                       bool searches)
{
    const struct read_out *read_out = &network->params.read_out;
    *scratch = (struct read_out_scratch){0};
    enum core_status status = membranes_init(&scratch->membranes, network_widest_block(network));
    if (status == CORE_OK && read_out->kind == READ_OUT_SPIKE_COUNT)
        status = spike_counter_init(&scratch->counter, capacity, read_out->spike_count.max_spikes,
                                    searches);
    if (status != CORE_OK)
        read_out_scratch_finish(scratch);
    return status;
}

void read_out_scratch_finish(struct read_out_scratch *scratch)
{
    membranes_finish(&scratch->membranes);
    spike_counter_finish(&scratch->counter);
}

bool read_out_sample(const struct network *network, const struct read_out_task *task,
                     struct read_out_scratch *scratch, struct activity *activity,
                     struct layer_gradient *gradient, struct read_out_outcome *ret_outcome)
{
    switch (network->params.read_out.kind) {
    case READ_OUT_V_MAX:
        v_max_read_out_sample(network, task, &scratch->membranes, activity, gradient, ret_outcome);
        return true;
    case READ_OUT_SPIKE_COUNT:
        return spike_count_read_out_sample(network, task, &scratch->counter, activity, gradient,
                                           ret_outcome);
    }
    return false;
}
