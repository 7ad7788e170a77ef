#include "core/backward.h"

#include <math.h>
#include <string.h>

#include "core/exponential.h"
#include "core/grid.h"

/* slope_floor is at least this: if the voltage only touches the threshold, the exact derivative has
 * no bound. */
static const double min_slope_floor = 1e-6;

/* The share of each step's voltage in the time of a peak, as of a soft arg max: SpikingJelly's
 * gradient, softmax(T v). v[T], amounts[T] of one neuron. */
static void share_peak(const float *v, size_t T, float amount, float *amounts, size_t stride)
{
    double max = 0, sum = 0, time = 0;
    for (size_t t = 0; t < T; t++)
        max = fmax(max, (double)v[t]);
    for (size_t t = 0; t < T; t++) {
        const double p = exp_nonpositive((double)T * ((double)v[t] - max));
        sum += p;
        time += p * (double)t;
    }
    time /= sum;
    for (size_t t = 0; t < T; t++) {
        const double p = exp_nonpositive((double)T * ((double)v[t] - max)) / sum;
        amounts[t * stride] = (float)((double)amount * (double)T * p * ((double)t - time));
    }
}

/* The credit of a block of a hidden layer that fires at its peaks: amounts of neurons that fired
 * are the loss's derivatives by the spikes' times. */
static void credit_peaks(const struct tempotron *tempotron, size_t block,
                         const struct layer_activity *layer, const struct layer_gradient *gradient,
                         struct thread_scratch *scratch)
{
    const size_t T = tempotron->params.T, first = block * BLOCK_NEURONS;
    memset(scratch->amounts, 0, T * tempotron->stride * sizeof *scratch->amounts);
    membranes_run(tempotron, &layer->pattern, &layer->timeline, &scratch->reading.membranes,
                  scratch->v);
    for (size_t j = 0; j < tempotron->params.out_features; j++) {
        const float amount = gradient->amount[first + j];
        if (layer->spike[first + j] >= 0)
            share_peak(scratch->v + j * T, T, amount, scratch->amounts + j, tempotron->stride);
        else
            scratch->amounts[(size_t)gradient->at[first + j] * tempotron->stride + j] = amount;
    }
    scratch->credit.stride = tempotron->stride;
    scratch->credit.is_zero = false;
    grid_backward_steps(tempotron, scratch->amounts, &scratch->credit);
}

const struct credit *backward_find_credit(const struct network *network, size_t layer, size_t block,
                                          struct slot *slot, struct thread_scratch *scratch)
{
    const struct tempotron *tempotron = network->layers[layer].blocks[block];
    const struct layer_activity *activity = &slot->activity.layers[layer];
    const struct layer_gradient *gradient = &slot->gradients[layer];
    if (gradient->credit != NULL)
        return &gradient->credit[block];
    scratch->reading.membranes.block = block;
    if (layer + 1 < network->depth && network->params.hidden_spike == HIDDEN_PEAK) {
        credit_peaks(tempotron, block, activity, gradient, scratch);
    } else {
        const struct voltage_gradient of_block = layer_gradient_block(gradient, block);
        membranes_backward(tempotron, &activity->pattern, &activity->timeline, &of_block,
                           &scratch->reading.membranes, &scratch->credit);
    }
    return &scratch->credit;
}

bool backward_reads_weights(const struct network *network)
{
    return network->depth > 1 && network->params.hidden_spike == HIDDEN_PEAK;
}

/* A neuron's spike comes the later, by 1/slope, the lower its voltage is. */
static float time_to_voltage(const struct network *network, const struct training_params *params,
                             float time_gradient, float slope)
{
    const struct tempotron_params *neuron = &network->params.tempotron;
    const double slope_floor = fmax(params->slope_floor, min_slope_floor);
    const float bound = (float)(slope_floor * neuron->v_threshold / neuron->tau_s);
    if (network->params.hidden_spike == HIDDEN_PEAK)
        return time_gradient;
    return -time_gradient / (slope > bound ? slope : bound);
}

/* From the time gradient of the spikes that a hidden layer passed on. Neurons that are silent are
 * drawn towards their threshold, a little. */
static void find_voltage_gradient(const struct network *network,
                                  const struct training_params *params, size_t batch, size_t layer,
                                  struct slot *slot, const float *time_gradient)
{
    const struct layer_activity *activity = &slot->activity.layers[layer];
    const struct pattern *passed = &slot->activity.layers[layer + 1].pattern;
    const float pull = (float)(-params->silence_cost / (double)batch);
    const double revival =
        membranes_revival_time(network->layers[layer].blocks[0], &activity->pattern);
    struct layer_gradient *gradient = &slot->gradients[layer];
    for (size_t j = 0; j < layer_neurons(&network->layers[layer]); j++) {
        const bool fired = activity->spike[j] >= 0;
        const double t_max = activity->t_max[j] > 0 ? activity->t_max[j] : revival;
        gradient->amount[j] = fired ? 0 : pull;
        gradient->at[j] = fired ? (double)activity->spike[j] : t_max;
    }
    for (size_t s = 0; s < passed->count; s++) {
        const uint32_t j = passed->afferent[s];
        gradient->amount[j] =
            time_to_voltage(network, params, time_gradient[s], activity->slope[j]);
    }
}

void backward_trace(const struct network *network, const struct training_params *params,
                    size_t batch, size_t layer, struct slot *slot, struct thread_scratch *scratch)
{
    const struct layer *above = &network->layers[layer + 1];
    const struct layer_activity *activity = &slot->activity.layers[layer + 1];
    memset(scratch->time_gradient, 0, activity->pattern.count * sizeof *scratch->time_gradient);
    for (size_t b = 0; b < above->block_count; b++) {
        const struct voltage_gradient gradient =
            layer_gradient_block(&slot->gradients[layer + 1], b);
        const struct credit *credit = backward_find_credit(network, layer + 1, b, slot, scratch);
        credit_add_times(credit, above->blocks[b], &activity->pattern, &activity->timeline,
                         scratch->time_gradient);
        membranes_follow_kinks(above->blocks[b], &activity->pattern, &activity->timeline, &gradient,
                               scratch->time_gradient);
    }
    find_voltage_gradient(network, params, batch, layer, slot, scratch->time_gradient);
}
