/* spike_count_prediction.c - how often each output fires, when, at which thresholds it would fire
 * how often, and its voltage with the resets. */
#include <math.h>
#include <string.h>

#include "server/compute/prediction_kind.h"

enum { COUNT, SPIKE_TIMES, THRESHOLDS, V };

static const struct prediction_type types[] = {
    [COUNT] = {"count", DTYPE_I4, PREDICTION_NUMBERS, {PREDICTION_NEURONS}, .is_default = true},
    [SPIKE_TIMES] = {"spike_times",
                     DTYPE_F8,
                     PREDICTION_LISTS,
                     {PREDICTION_NEURONS, PREDICTION_SPIKES}},
    [THRESHOLDS] = {"thresholds", DTYPE_F8, PREDICTION_NUMBERS, {PREDICTION_NEURONS, PREDICTION_K}},
    [V] = {"v", DTYPE_F4, PREDICTION_NUMBERS, {PREDICTION_NEURONS, PREDICTION_TIMES}},
    {.name = NULL},
};

static size_t size(const struct model_config *config, const struct prediction_options *options)
{
    const struct network_params *params = &config->network;
    const size_t times = options->wanted[SPIKE_TIMES] ? params->read_out.spike_count.max_spikes : 0;
    const size_t voltages = options->wanted[V] ? params->tempotron.T : 0;
    return params->tempotron.out_features * (1 + options->k_max + times + voltages);
}

static uint64_t work(const struct model_config *config, const struct prediction_options *options,
                     size_t spikes)
{
    const struct tempotron_params *params = &config->network.tempotron;
    uint64_t work = network_work(&config->network, spikes);
    if (options->k_max > 0)
        work += spike_count_read_out_thresholds_work(params, options->k_max, spikes);
    if (options->wanted[V])
        work += spike_count_read_out_voltages_work(params);
    return work;
}

static void begin(const struct prediction_sample *sample)
{
    const struct network *network = sample->model->network;
    const struct layer_activity *last = &sample->scratch->activity.layers[network->depth - 1];
    spike_counter_take_pattern(&sample->scratch->reading.counter,
                               &network->layers[network->depth - 1], &last->pattern,
                               &last->timeline);
}

static void fill_times(const struct spike_train *train, size_t max_spikes, double *times)
{
    memcpy(times, train->time, train->count * sizeof *times);
    if (train->count < max_spikes)
        times[train->count] = (double)NAN; /* the list's end */
}

static void fill_thresholds(const struct prediction_sample *sample, double v_threshold,
                            double *thresholds)
{
    struct spike_counter *counter = &sample->scratch->reading.counter;
    for (size_t k = 1; k <= sample->options->k_max; k++) {
        if (stop_check_requested(sample->stop_check))
            return;
        struct critical_threshold critical;
        const bool is_there = critical_threshold_find(&counter->multi_spike, k, v_threshold,
                                                      &counter->search, &critical);
        thresholds[k - 1] = is_there ? critical.theta : (double)NAN;
    }
}

static bool fill(const struct prediction_sample *sample, size_t output)
{
    const struct network *network = sample->model->network;
    const struct network_params *params = &network->params;
    const struct prediction *prediction = sample->prediction;
    const size_t max_spikes = params->read_out.spike_count.max_spikes, T = params->tempotron.T;
    const double v_threshold = params->tempotron.v_threshold;
    struct spike_counter *counter = &sample->scratch->reading.counter;
    int32_t *counts = prediction_row(prediction, COUNT, sample->number);
    double *times = prediction_row(prediction, SPIKE_TIMES, sample->number);
    double *thresholds = prediction_row(prediction, THRESHOLDS, sample->number);
    float *v = prediction_row(prediction, V, sample->number);
    const size_t count =
        spike_counter_count(counter, &network->layers[network->depth - 1],
                            &sample->scratch->activity.layers[network->depth - 1].pattern, output);
    if (counts != NULL)
        counts[output] = (int32_t)count;
    if (times != NULL)
        fill_times(&counter->train, max_spikes, times + output * max_spikes);
    if (v != NULL)
        multi_spike_sample(&counter->multi_spike, v_threshold, &counter->train, T, v + output * T);
    if (thresholds != NULL)
        fill_thresholds(sample, v_threshold, thresholds + output * sample->options->k_max);
    return true;
}

const struct prediction_kind spike_count_prediction = {
    .types = types,
    .splits_outputs = true,
    .size = size,
    .work = work,
    .begin = begin,
    .fill = fill,
};
