/* v_max_prediction.c - the decisions, the voltages and spikes that led to them, and how each came
 * about. */
#include <math.h>
#include <string.h>

#include "core/v_max_reading.h"
#include "server/compute/prediction_kind.h"

enum { LABEL, V_MAX, SCORE, SPIKES, HIDDEN_SPIKES, V };

static const struct prediction_type types[] = {
    [LABEL] = {"label", DTYPE_I4, PREDICTION_CLASSES, {PREDICTION_NO_AXIS}, .is_default = true},
    [V_MAX] = {"v_max", DTYPE_F4, PREDICTION_NUMBERS, {PREDICTION_NEURONS}, .is_default = true},
    [SCORE] = {"score", DTYPE_F4, PREDICTION_NUMBERS, {PREDICTION_OUTPUTS}},
    [SPIKES] = {"spikes", DTYPE_F4, PREDICTION_NUMBERS, {PREDICTION_NEURONS}},
    [HIDDEN_SPIKES] = {"hidden_spikes", DTYPE_F4, PREDICTION_NUMBERS, {PREDICTION_HIDDEN}},
    [V] = {"v", DTYPE_F4, PREDICTION_NUMBERS, {PREDICTION_NEURONS, PREDICTION_TIMES}},
    {.name = NULL},
};

static size_t size(const struct model_config *config, const struct prediction_options *options)
{
    const struct network_params *params = &config->network;
    size_t numbers =
        params->tempotron.out_features * (options->wanted[V] ? params->tempotron.T : 1);
    for (size_t l = 0; options->wanted[HIDDEN_SPIKES] && l < params->hidden_count; l++)
        numbers += params->hidden[l];
    return numbers + (options->explains ? 4 * CONTRIBUTIONS : 0);
}

/* What the neurons of hidden layers contributed is traced through all of their spikes, each worth
 * two exponentials: that costs about this many times the forward pass. */
enum { TRACE_WORK = 40 };

static uint64_t work(const struct model_config *config, const struct prediction_options *options,
                     size_t spikes)
{
    const bool traces = options->explains && config->network.hidden_count > 0;
    return network_work(&config->network, spikes) * (traces ? TRACE_WORK : 1);
}

/* --- explanations --- */

static double margin_of(const struct network_params *params, const float *score, size_t decided)
{
    const size_t classes = network_outputs(params);
    double next = classes > 1 ? -INFINITY : params->tempotron.v_threshold;
    for (size_t k = 0; k < classes; k++)
        if (k != decided)
            next = fmax(next, (double)score[k]);
    return (double)score[decided] - next;
}

/* The neuron of a class with the greatest v_max. */
static size_t winner_of_class(const struct network_params *params, const float *v_max, size_t class)
{
    const size_t group = params->read_out.v_max.neurons_per_class;
    return class * group + v_max_read_out_decide(v_max + class * group, group);
}

/* By all spikes, also those of the background. False: no memory. */
static bool explain(const struct prediction_sample *sample, size_t decided)
{
    const struct network *network = sample->model->network;
    struct activity *activity = &sample->scratch->activity;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    struct decision *decision = &sample->prediction->decisions[sample->number];
    struct encoding every_spike = sample->model->encoding;
    every_spike.background = NULL;
    samples_pattern(sample->samples, &every_spike, sample->number, activity_input(activity));
    decision->is_made = true;
    decision->output = winner_of_class(&network->params, last->v_max, decided);
    decision->t_max = last->t_max[decision->output];
    decision->margin = margin_of(&network->params, activity->score, decided);
    return network_explain(network, activity, decision->output, decision->contributions,
                           CONTRIBUTIONS, &decision->count) == CORE_OK;
}

/* --- a sample --- */

static void begin(const struct prediction_sample *sample)
{
    float *v = prediction_row(sample->prediction, V, sample->number);
    v_max_reading_voltages(sample->model->network, &sample->scratch->reading.membranes,
                           &sample->scratch->activity, v);
}

static void copy(const struct prediction_sample *sample, unsigned type, const float *values,
                 size_t count)
{
    float *row = prediction_row(sample->prediction, type, sample->number);
    if (row != NULL)
        memcpy(row, values, count * sizeof *row);
}

static void fill_hidden_spikes(const struct prediction_sample *sample)
{
    const struct network_params *params = &sample->model->config.network;
    const struct prediction_array *arrays = sample->prediction->of[HIDDEN_SPIKES];
    for (size_t l = 0; arrays != NULL && l < params->hidden_count; l++) {
        const size_t neurons = params->hidden[l];
        memcpy((float *)arrays[l].values + sample->number * neurons,
               sample->scratch->activity.layers[l].spike, neurons * sizeof(float));
    }
}

static bool fill(const struct prediction_sample *sample, size_t output)
{
    (void)output;
    const struct network *network = sample->model->network;
    const struct activity *activity = &sample->scratch->activity;
    const int32_t decided = v_max_reading_label(network, activity);
    int32_t *label = prediction_row(sample->prediction, LABEL, sample->number);
    float *spikes = prediction_row(sample->prediction, SPIKES, sample->number);
    if (label != NULL)
        *label = decided;
    copy(sample, V_MAX, activity->layers[network->depth - 1].v_max,
         network->params.tempotron.out_features);
    copy(sample, SCORE, activity->score, network->outputs);
    if (spikes != NULL)
        v_max_reading_spikes(network, activity, spikes);
    fill_hidden_spikes(sample);
    return decided == READING_UNDECIDED || !sample->options->explains ||
           explain(sample, (size_t)decided);
}

const struct prediction_kind v_max_prediction = {
    .types = types,
    .size = size,
    .work = work,
    .begin = begin,
    .fill = fill,
};
