#include "tests/support/single_layer.h"

#include <stdlib.h>

/* The benchmarks use this too, where no test runs that could fail. */
struct network *single_layer(const struct tempotron_params *params, const float *weight)
{
    const struct network_params of_network = network_params_of(params);
    struct network *network;
    if (network_create(&of_network, &weight, &network) != CORE_OK)
        abort();
    return network;
}

void single_layer_weight(const struct network *network, float *ret_weight)
{
    layer_weight(&network->layers[0], ret_weight);
}

struct tempotron *single_block(const struct network *network)
{
    if (network->depth != 1 || network->layers[0].block_count != 1)
        abort();
    return network->layers[0].blocks[0];
}
