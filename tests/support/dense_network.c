#include "tests/support/dense_network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/dropout.h"
#include "core/random.h"
#include "tests/support/dense.h"

static void must(bool holds)
{
    if (!holds)
        abort();
}

static double draw_normal(struct random *random)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)random_uniform(random);
    return sum;
}

void dense_network_draw(struct dense_network *network, const struct spread *spreads,
                        struct random *random)
{
    const struct network_params *params = &network->params;
    for (size_t l = 0; l < network_depth(params); l++) {
        const size_t count = network_neurons(params, l) * network_afferents(params, l);
        network->weight[l] = malloc(count * sizeof(double));
        must(network->weight[l] != NULL);
        for (size_t i = 0; i < count; i++) { /* numbers that a float32 holds */
            const double w = spreads[l].mean + spreads[l].deviation * draw_normal(random);
            network->weight[l][i] = (double)(float)w;
        }
    }
}

void dense_network_finish(struct dense_network *network)
{
    for (size_t l = 0; l < network_depth(&network->params); l++)
        free(network->weight[l]);
}

struct network *dense_network_model(const struct dense_network *network)
{
    const struct network_params *params = &network->params;
    const float *weight[NETWORK_LAYERS];
    float *owned[NETWORK_LAYERS];
    struct network *model;
    for (size_t l = 0; l < network_depth(params); l++) {
        const size_t count = network_neurons(params, l) * network_afferents(params, l);
        weight[l] = owned[l] = malloc(count * sizeof(float));
        must(owned[l] != NULL);
        for (size_t i = 0; i < count; i++)
            owned[l][i] = (float)network->weight[l][i];
    }
    must(network_create(params, weight, &model) == CORE_OK);
    for (size_t l = 0; l < network_depth(params); l++)
        free(owned[l]);
    return model;
}

bool dense_same_trace(const struct dense_trace *a, const struct dense_trace *b)
{
    return a->count == b->count && a->loss_piece == b->loss_piece &&
           memcmp(a->pieces, b->pieces, a->count * sizeof *a->pieces) == 0;
}

/* --- forward --- */

/* The spikes that come into a layer, and the weights that a neuron puts to them. */
struct input {
    size_t count;
    double time[DENSE_MAX_SPIKES];
    double weight[DENSE_MAX_SPIKES];
    double scale; /* of the weights, as some spikes are left out */
};

static struct dense_spikes spikes_of(const struct dense_network *network, size_t layer,
                                     size_t neuron, struct input *input)
{
    for (size_t i = 0; i < input->count; i++)
        input->weight[i] = input->scale * network->weight[layer][neuron * input->count + i];
    return (struct dense_spikes){input->count, input->weight, input->time};
}

/* Leaves some spikes out. */
static void drop(double rate, struct dropout_stream *stream, struct input *input)
{
    const uint32_t least = (uint32_t)(rate * 4294967296.0);
    input->scale = 1 / (1 - rate);
    for (size_t i = 0; rate > 0 && i < input->count; i++)
        if (input->time[i] >= 0 && dropout_draw(stream) < least)
            input->time[i] = -1;
}

/* Which spikes came before a time, and on the grid also its step. */
static uint64_t piece_of(enum tempotron_clock clock, const struct input *input, double time)
{
    uint64_t piece = clock == CLOCK_GRID ? (uint64_t)ceil(time) : 0;
    for (size_t i = 0; i < input->count; i++)
        if (input->time[i] >= 0 && input->time[i] <= time)
            piece ^= (i + 1) * 0x9e3779b97f4a7c15u;
    return piece;
}

static double find_maximum(const struct tempotron_params *params, const struct dense_kernel *kernel,
                           const struct dense_spikes *spikes, double *ret_time)
{
    return params->clock == CLOCK_GRID
               ? dense_grid_max(kernel, spikes, params->T, ret_time)
               : dense_intervals_max(kernel, spikes, (double)params->T, ret_time);
}

static double find_crossing(const struct tempotron_params *params,
                            const struct dense_kernel *kernel, const struct dense_spikes *spikes,
                            double *ret_slope)
{
    return params->clock == CLOCK_GRID
               ? dense_grid_crossing(kernel, spikes, params->T, ret_slope)
               : dense_intervals_crossing(kernel, spikes, (double)params->T, ret_slope);
}

/* Runs a hidden layer, whose spikes are the output; returns what its silence costs. */
static double fire(const struct dense_network *network, size_t layer,
                   const struct dense_kernel *kernel, struct input *input, struct input *output,
                   struct dense_trace *trace)
{
    const struct tempotron_params *params = &network->params.tempotron;
    double cost = 0;
    output->count = network_neurons(&network->params, layer);
    for (size_t j = 0; j < output->count; j++) {
        const struct dense_spikes spikes = spikes_of(network, layer, j, input);
        double slope = INFINITY, time = find_crossing(params, kernel, &spikes, &slope);
        output->time[j] = time;
        if (time < 0) {
            const double v_max = find_maximum(params, kernel, &spikes, &time);
            cost -= network->silence_cost * v_max;
            trace->silent++;
            trace->dead += v_max <= 0;
        }
        trace->min_slope = fmin(trace->min_slope, slope);
        trace->pieces[trace->count++] =
            2 * piece_of(params->clock, input, time) + (output->time[j] < 0);
    }
    return cost;
}

static void read_maxima(const struct dense_network *network, const struct dense_kernel *kernel,
                        struct input *input, double *v_max, struct dense_trace *trace)
{
    const size_t last = network_depth(&network->params) - 1;
    const size_t neurons = network_neurons(&network->params, last);
    for (size_t j = 0; j < neurons; j++) {
        const struct dense_spikes spikes = spikes_of(network, last, j, input);
        double time;
        v_max[j] = find_maximum(&network->params.tempotron, kernel, &spikes, &time);
        trace->dead += v_max[j] <= 0;
        trace->pieces[trace->count++] = piece_of(network->params.tempotron.clock, input, time);
    }
}

/* --- the loss --- */

/* Relative to a class at rest: so do losses see them. */
static void score_groups(const struct v_max_read_out *read_out, const double *v_max, size_t classes,
                         double *score)
{
    const size_t group = read_out->neurons_per_class;
    for (size_t k = 0; k < classes; k++) {
        double sum = 0;
        for (size_t g = 0; g < group; g++)
            sum += exp((double)read_out->beta * v_max[k * group + g]);
        score[k] = log(sum / (double)group) / (double)read_out->beta;
    }
}

static double class_loss(const struct loss *loss, double score, bool is_label)
{
    const double error = score - (double)loss->v_threshold;
    const double goal = (double)(is_label ? loss->target : loss->other);
    const double violation = fmax(0, is_label ? goal - score : score - goal);
    switch (loss->type) {
    case LOSS_MSE:
        return (error >= 0) != is_label ? error * error : 0;
    case LOSS_TEMPOTRON:
        return (error >= 0) != is_label ? fabs(error) : 0;
    case LOSS_MARGIN:
        return violation * violation;
    case LOSS_CROSS_ENTROPY:
        break;
    }
    return 0;
}

static double loss_of(const struct loss *loss, const double *score, int32_t label, size_t classes,
                      uint64_t *ret_piece)
{
    double sum = 0, exponentials = 0;
    *ret_piece = 0;
    for (size_t k = 0; k < classes; k++) {
        exponentials += exp((double)loss->beta * (score[k] - score[label]));
        sum += class_loss(loss, score[k], (size_t)label == k);
        *ret_piece = 2 * *ret_piece + (score[k] >= (double)loss->v_threshold);
        *ret_piece = 2 * *ret_piece + (score[k] >= (double)loss->target);
        *ret_piece = 2 * *ret_piece + (score[k] >= (double)loss->other);
    }
    return loss->type == LOSS_CROSS_ENTROPY ? log(exponentials) : sum;
}

double dense_network_loss(const struct dense_network *network, const struct loss *loss,
                          size_t sample, const float *in_spikes, int32_t label,
                          struct dense_trace *ret_trace)
{
    const struct network_params *params = &network->params;
    const struct dense_kernel kernel = {params->tempotron.tau, params->tempotron.tau_s,
                                        params->tempotron.v_threshold};
    struct input input = {.count = params->tempotron.in_features}, output;
    struct dropout_stream stream = dropout_stream_of(network->seed, 1, sample);
    double v_max[DENSE_NEURONS], score[DENSE_NEURONS], cost = 0;
    *ret_trace = (struct dense_trace){.min_slope = INFINITY};
    for (size_t i = 0; i < input.count; i++)
        input.time[i] = (double)in_spikes[i];
    drop(network->input_dropout, &stream, &input);
    for (size_t l = 0; l < params->hidden_count; l++) {
        cost += fire(network, l, &kernel, &input, &output, ret_trace);
        input = output;
        drop(network->dropout, &stream, &input);
    }
    read_maxima(network, &kernel, &input, v_max, ret_trace);
    score_groups(&params->read_out.v_max, v_max, network_outputs(params), score);
    return cost + loss_of(loss, score, label, network_outputs(params), &ret_trace->loss_piece);
}
