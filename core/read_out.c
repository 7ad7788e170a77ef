#include "core/read_out.h"

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

uint32_t read_out_max_spikes(const struct read_out *read_out)
{
    switch (read_out->kind) {
    case READ_OUT_V_MAX:
        return 0;
    case READ_OUT_SPIKE_COUNT:
        return read_out->spike_count.max_spikes;
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
