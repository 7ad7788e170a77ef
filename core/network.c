#include "core/network.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

struct network_params network_params_of(const struct tempotron_params *params)
{
    return (struct network_params){
        .tempotron = *params,
        .read_out = {.kind = READ_OUT_V_MAX, .v_max = {.neurons_per_class = 1, .beta = 1}},
    };
}

size_t network_depth(const struct network_params *params)
{
    return params->hidden_count + 1;
}

size_t network_outputs(const struct network_params *params)
{
    return read_out_outputs(&params->read_out, params->tempotron.out_features);
}

size_t network_afferents(const struct network_params *params, size_t layer)
{
    return layer == 0 ? params->tempotron.in_features : params->hidden[layer - 1];
}

size_t network_neurons(const struct network_params *params, size_t layer)
{
    return layer < params->hidden_count ? params->hidden[layer] : params->tempotron.out_features;
}

static struct tempotron_params layer_params(const struct network_params *params, size_t layer)
{
    struct tempotron_params of_layer = params->tempotron;
    of_layer.in_features = network_afferents(params, layer);
    of_layer.out_features = network_neurons(params, layer);
    return of_layer;
}

uint64_t network_work(const struct network_params *params, size_t spikes)
{
    uint64_t work = 0;
    size_t incoming = spikes;
    for (size_t l = 0; l < params->hidden_count; l++) {
        const struct tempotron_params of_layer = layer_params(params, l);
        work += tempotron_work(&of_layer, incoming);
        incoming = of_layer.out_features;
    }
    return work + read_out_work(&params->read_out, &params->tempotron, incoming);
}

enum core_status network_create(const struct network_params *params, const float *const *weight,
                                struct network **ret_network)
{
    struct network *network = calloc(1, sizeof *network);
    if (network == NULL)
        return CORE_NO_MEMORY;
    network->params = *params;
    network->depth = network_depth(params);
    network->outputs = network_outputs(params);
    for (size_t l = 0; l < network->depth; l++) {
        const struct tempotron_params of_layer = layer_params(params, l);
        layer_init(&network->layers[l], &of_layer, weight == NULL ? NULL : weight[l],
                   &network->arena);
    }
    const enum core_status status = arena_status(&network->arena);
    if (status == CORE_OK)
        *ret_network = network;
    else
        network_destroy(network);
    return status;
}

enum core_status network_copy(const struct network *network, struct network **ret_network)
{
    const enum core_status status = network_create(&network->params, NULL, ret_network);
    if (status == CORE_OK)
        network_copy_weights(network, *ret_network);
    return status;
}

void network_copy_weights(const struct network *from, struct network *to)
{
    for (size_t l = 0; l < from->depth; l++) {
        for (size_t b = 0; b < from->layers[l].block_count; b++) {
            const struct tempotron *block = from->layers[l].blocks[b];
            memcpy(to->layers[l].blocks[b]->weight, block->weight,
                   block->params.in_features * block->stride * sizeof *block->weight);
        }
    }
}

void network_destroy(struct network *network)
{
    if (network == NULL)
        return;
    arena_finish(&network->arena);
    free(network);
}

const struct tempotron *network_widest_block(const struct network *network)
{
    const struct tempotron *widest = network->layers[0].blocks[0];
    for (size_t l = 1; l < network->depth; l++)
        if (network->layers[l].blocks[0]->stride > widest->stride)
            widest = network->layers[l].blocks[0];
    return widest;
}

size_t network_widest_hidden(const struct network *network)
{
    size_t widest = 1;
    for (size_t l = 0; l + 1 < network->depth; l++)
        if (network->layers[l].width > widest)
            widest = network->layers[l].width;
    return widest;
}

size_t network_bytes(const struct network *network)
{
    size_t bytes = 0;
    for (size_t l = 0; l < network->depth; l++)
        bytes += layer_bytes(&network->layers[l]);
    return bytes;
}

/* Sums of twelve uniform numbers are normal to the eye, with variance 1, and the same bits
 * everywhere. */
static float draw_normal(struct random *random, double mean, double deviation)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += (double)random_uniform(random);
    return (float)(mean + deviation * sum);
}

void network_draw_weight(const struct network_params *params, size_t layer, uint32_t seed,
                         float *ret_weight)
{
    enum { LAYER_SEED = 0x9e3779b9 }; /* far from the seeds that people choose */
    const size_t in = network_afferents(params, layer), out = network_neurons(params, layer);
    if (params->hidden_count == 0) {
        tempotron_draw_weight(seed, in, out, ret_weight);
        return;
    }
    struct random random;
    random_init(&random, seed + (uint32_t)layer * (uint32_t)LAYER_SEED);
    const bool is_hidden = layer < params->hidden_count;
    const double mean = is_hidden ? fmin(16 / (double)in, 0.75) : 0;
    const double deviation = (is_hidden ? 1.4 : 2.25) / sqrt((double)in);
    for (size_t i = 0; i < in * out; i++)
        ret_weight[i] = draw_normal(&random, mean, deviation);
}
