#include "server/compute/prediction.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/compute/scratch.h"

enum { PARTS_A_HAND = 4 };

void prediction_finish(struct prediction *prediction)
{
    free(prediction->label);
    free(prediction->v_max);
    free(prediction->score);
    free(prediction->spikes);
    for (size_t l = 0; l < HIDDEN_LAYERS; l++)
        free(prediction->hidden[l]);
    free(prediction->v);
    free(prediction->decisions);
}

size_t prediction_size(const struct model *model, const struct prediction *wanted)
{
    const struct network_params *params = &model->config.network;
    size_t numbers =
        params->tempotron.out_features * (wanted->wanted[RET_V] ? params->tempotron.T : 1);
    for (size_t l = 0; wanted->wanted[RET_HIDDEN_SPIKES] && l < params->hidden_count; l++)
        numbers += params->hidden[l];
    if (wanted->explains)
        numbers += 4 * CONTRIBUTIONS;
    return numbers;
}

static bool init_hidden(struct prediction *prediction, const struct network_params *params)
{
    for (size_t l = 0; l < params->hidden_count; l++) {
        prediction->hidden[l] = malloc(prediction->count * params->hidden[l] * sizeof(float));
        if (prediction->hidden[l] == NULL)
            return false;
    }
    return true;
}

static bool prediction_init(struct prediction *prediction, const struct model *model, size_t count)
{
    const struct network_params *params = &model->config.network;
    const size_t neurons = params->tempotron.out_features, T = params->tempotron.T;
    prediction->count = count;
    prediction->classes = network_outputs(params);
    prediction->neurons = neurons;
    prediction->T = T;
    prediction->label = malloc(count * sizeof *prediction->label);
    prediction->v_max = malloc(count * neurons * sizeof *prediction->v_max);
    prediction->spikes = malloc(count * neurons * sizeof *prediction->spikes);
    if (prediction->wanted[RET_SCORE])
        prediction->score = malloc(count * prediction->classes * sizeof *prediction->score);
    if (prediction->wanted[RET_V])
        prediction->v = malloc(count * neurons * T * sizeof *prediction->v);
    if (prediction->explains)
        prediction->decisions = calloc(count, sizeof *prediction->decisions);
    return prediction->label != NULL && prediction->v_max != NULL && prediction->spikes != NULL &&
           (prediction->score != NULL || !prediction->wanted[RET_SCORE]) &&
           (!prediction->wanted[RET_HIDDEN_SPIKES] || init_hidden(prediction, params)) &&
           (prediction->v != NULL || !prediction->wanted[RET_V]) &&
           (prediction->decisions != NULL || !prediction->explains);
}

static double margin_of(const struct network *network, const float *score, size_t decided)
{
    const size_t classes = network_outputs(&network->params);
    double next = classes > 1 ? -INFINITY : network->params.tempotron.v_threshold;
    for (size_t k = 0; k < classes; k++)
        if (k != decided)
            next = fmax(next, (double)score[k]);
    return (double)score[decided] - next;
}

/* Of the neurons of a class the one with the greatest v_max. */
static size_t greatest_of_class(const struct network *network, const float *v_max, size_t class)
{
    const size_t group = network->params.read_out.v_max.neurons_per_class;
    return class * group + v_max_read_out_decide(v_max + class * group, group);
}

/* By all spikes, also those of features at rest. False: no memory. */
static bool explain_sample(const struct model *model, const struct samples *samples, size_t sample,
                           struct activity *activity, size_t decided, struct decision *decision)
{
    const struct network *network = model->network;
    const struct layer_activity *last = &activity->layers[activity->depth - 1];
    struct encoding every_spike = model->encoding;
    every_spike.background = NULL;
    samples_pattern(samples, &every_spike, sample, activity_input(activity));
    decision->output = greatest_of_class(network, last->v_max, decided);
    decision->t_max = last->t_max[decision->output];
    decision->margin = margin_of(network, activity->score, decided);
    return network_explain(network, activity, decision->output, decision->contributions,
                           CONTRIBUTIONS, &decision->count) == CORE_OK;
}

static void keep_hidden_spikes(const struct network *network, const struct activity *activity,
                               size_t sample, struct prediction *prediction)
{
    if (!prediction->wanted[RET_HIDDEN_SPIKES])
        return;
    for (size_t l = 0; l + 1 < network->depth; l++) {
        const size_t neurons = network_neurons(&network->params, l);
        memcpy(prediction->hidden[l] + sample * neurons, activity->layers[l].spike,
               neurons * sizeof(float));
    }
}

/* False: no memory. */
static bool predict_sample(const struct model *model, const struct samples *samples, size_t sample,
                           struct scratch *scratch, struct prediction *prediction)
{
    const struct network *network = model->network;
    const size_t neurons = prediction->neurons, classes = prediction->classes;
    const float threshold = (float)network->params.tempotron.v_threshold;
    float *v = prediction->v == NULL ? NULL : prediction->v + sample * neurons * prediction->T;
    struct activity *activity = &scratch->activity;
    const struct layer_activity *last = &activity->layers[network->depth - 1];
    samples_pattern(samples, &model->encoding, sample, activity_input(activity));
    v_max_read_out_forward(network, &scratch->membranes, activity, v);
    memcpy(prediction->v_max + sample * neurons, last->v_max, neurons * sizeof(float));
    if (prediction->score != NULL)
        memcpy(prediction->score + sample * classes, activity->score, classes * sizeof(float));
    for (size_t j = 0; j < neurons; j++)
        prediction->spikes[sample * neurons + j] =
            last->v_max[j] >= threshold ? (float)last->t_max[j] : -1;
    keep_hidden_spikes(network, activity, sample, prediction);
    const bool decides = activity_decides(activity);
    const size_t label = v_max_read_out_decide(activity->score, classes);
    prediction->label[sample] = decides ? (int32_t)label : -1;
    return !decides || !prediction->explains ||
           explain_sample(model, samples, sample, activity, label, &prediction->decisions[sample]);
}

/* The samples shared out to several hands. */
struct predicting {
    const struct model *model;
    const struct samples *samples;
    struct prediction *prediction;
    size_t parts;
    atomic_bool failed; /* no memory */
};

static void predict_part(void *work, size_t part)
{
    struct predicting *predicting = work;
    const struct model *model = predicting->model;
    const struct samples *samples = predicting->samples;
    const size_t capacity = samples_capacity(samples, &model->encoding);
    const size_t end = samples->count * (part + 1) / predicting->parts;
    struct scratch *scratch = scratch_borrow(model->network, capacity);
    bool done = scratch != NULL;
    for (size_t b = samples->count * part / predicting->parts; done && b < end; b++)
        done = predict_sample(model, samples, b, scratch, predicting->prediction);
    if (!done)
        atomic_store(&predicting->failed, true);
    scratch_return(scratch);
}

enum core_status predict(const struct model *model, const struct samples *samples,
                         const struct thread_team *team, struct prediction *prediction)
{
    const size_t parts = team != NULL ? PARTS_A_HAND * thread_team_size(team) : 1;
    struct predicting predicting = {.model = model,
                                    .samples = samples,
                                    .prediction = prediction,
                                    .parts = parts < samples->count ? parts : samples->count};
    if (!prediction_init(prediction, model, samples->count))
        return CORE_NO_MEMORY;
    thread_team_run(team, predict_part, &predicting, predicting.parts);
    return atomic_load(&predicting.failed) ? CORE_NO_MEMORY : CORE_OK;
}
