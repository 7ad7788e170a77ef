/* count_prediction.c - outputs of samples are shared out to hands, each of which has its own
 * scratch memory; one takes a sample's spikes anew where its part begins, or where the sample does.
 */
#include "server/compute/count_prediction.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"

enum { PARTS_A_HAND = 4 };

/* --- memory --- */

size_t count_prediction_size(const struct model *model, const struct count_prediction *wanted)
{
    const struct tempotron_params *params = &model->config.network.tempotron;
    return params->out_features *
           (1 + wanted->k_max +
            (wanted->wants_times ? model->config.network.read_out.spike_count.max_spikes : 0) +
            (wanted->wants_v ? params->T : 0));
}

static bool init(const struct model *model, size_t samples, struct count_prediction *prediction)
{
    const struct tempotron_params *params = &model->config.network.tempotron;
    const size_t trains = samples * params->out_features;
    prediction->samples = samples;
    prediction->outputs = params->out_features;
    prediction->max_spikes = model->config.network.read_out.spike_count.max_spikes;
    prediction->T = params->T;
    prediction->count = malloc(trains * sizeof *prediction->count);
    if (prediction->wants_times)
        prediction->times = malloc(trains * prediction->max_spikes * sizeof *prediction->times);
    if (prediction->k_max > 0)
        prediction->theta = malloc(trains * prediction->k_max * sizeof *prediction->theta);
    if (prediction->wants_v)
        prediction->v = malloc(trains * prediction->T * sizeof *prediction->v);
    return prediction->count != NULL && (prediction->times != NULL || !prediction->wants_times) &&
           (prediction->theta != NULL || prediction->k_max == 0) &&
           (prediction->v != NULL || !prediction->wants_v);
}

void count_prediction_finish(struct count_prediction *prediction)
{
    free(prediction->count);
    free(prediction->times);
    free(prediction->theta);
    free(prediction->v);
}

/* --- computing --- */

static void find_thresholds(struct spike_counter *counter, double v_threshold, size_t k_max,
                            double *theta)
{
    for (size_t k = 1; k <= k_max; k++) {
        struct critical_threshold critical;
        const bool is_there = critical_threshold_find(&counter->multi_spike, k, v_threshold,
                                                      &counter->search, &critical);
        theta[k - 1] = is_there ? critical.theta : (double)NAN;
    }
}

/* An output of a sample, by its number among all of them. */
static void predict_train(const struct layer *layer, const struct pattern *pattern, size_t number,
                          struct spike_counter *counter, struct count_prediction *prediction)
{
    const double v_threshold = layer->blocks[0]->params.v_threshold;
    const size_t count = spike_counter_count(counter, layer, pattern, number % prediction->outputs);
    prediction->count[number] = (int32_t)count;
    if (prediction->times != NULL)
        memcpy(prediction->times + number * prediction->max_spikes, counter->train.time,
               count * sizeof *prediction->times);
    if (prediction->v != NULL)
        multi_spike_sample(&counter->multi_spike, v_threshold, &counter->train, prediction->T,
                           prediction->v + number * prediction->T);
    if (prediction->theta != NULL)
        find_thresholds(counter, v_threshold, prediction->k_max,
                        prediction->theta + number * prediction->k_max);
}

struct predicting {
    const struct model *model;
    const struct samples *samples;
    struct count_prediction *prediction;
    size_t parts;
    atomic_bool failed; /* no memory */
};

static void predict_part(void *work, size_t part)
{
    struct predicting *predicting = work;
    const struct network *network = predicting->model->network;
    const struct encoding *encoding = &predicting->model->encoding;
    const size_t outputs = predicting->prediction->outputs;
    const size_t trains = predicting->samples->count * outputs;
    const size_t begin = trains * part / predicting->parts;
    const size_t end = trains * (part + 1) / predicting->parts;
    const size_t capacity = samples_capacity(predicting->samples, encoding);
    struct activity activity = {0};
    struct read_out_scratch scratch = {0};
    struct layer_activity *last = &activity.layers[network->depth - 1];
    if (activity_init(&activity, network, capacity) != CORE_OK ||
        read_out_scratch_init(&scratch, network, capacity, predicting->prediction->k_max > 0) !=
            CORE_OK)
        atomic_store(&predicting->failed, true);
    for (size_t i = begin; i < end && !atomic_load(&predicting->failed); i++) {
        if (i == begin || i % outputs == 0) {
            samples_pattern(predicting->samples, encoding, i / outputs, activity_input(&activity));
            activity_forward(network, &scratch.membranes, &activity);
            spike_counter_take_pattern(&scratch.counter, &network->layers[network->depth - 1],
                                       &last->pattern, &last->timeline);
        }
        predict_train(&network->layers[network->depth - 1], &last->pattern, i, &scratch.counter,
                      predicting->prediction);
    }
    read_out_scratch_finish(&scratch);
    activity_finish(&activity);
}

enum core_status count_predict(const struct model *model, const struct samples *samples,
                               const struct thread_team *team, struct count_prediction *prediction)
{
    if (!init(model, samples->count, prediction))
        return CORE_NO_MEMORY;
    const size_t trains = samples->count * prediction->outputs;
    const size_t parts = team != NULL ? PARTS_A_HAND * thread_team_size(team) : 1;
    struct predicting predicting = {.model = model,
                                    .samples = samples,
                                    .prediction = prediction,
                                    .parts = parts < trains ? parts : trains};
    thread_team_run(team, predict_part, &predicting, predicting.parts);
    return atomic_load(&predicting.failed) ? CORE_NO_MEMORY : CORE_OK;
}
