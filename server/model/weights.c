#include "server/model/weights.h"

#include <stdlib.h>
#include <string.h>

static const char *const hidden_names[HIDDEN_LAYERS] = {
    "hidden_0", "hidden_1", "hidden_2", "hidden_3", "hidden_4", "hidden_5", "hidden_6", "hidden_7",
};

void weights_finish(struct weights *weights)
{
    for (size_t l = 0; l < NETWORK_LAYERS; l++)
        free(weights->layers[l]);
    *weights = (struct weights){0};
}

const char *weights_name(const struct network_params *params, size_t layer)
{
    return layer < params->hidden_count ? hidden_names[layer] : "weight";
}

static bool allocate(const struct network_params *params, struct weights *weights)
{
    *weights = (struct weights){0};
    for (size_t l = 0; l < network_depth(params); l++) {
        const size_t count = network_neurons(params, l) * network_afferents(params, l);
        weights->layers[l] = malloc(count * sizeof(float));
        if (weights->layers[l] == NULL) {
            weights_finish(weights);
            return false;
        }
    }
    return true;
}

bool weights_draw(const struct network_params *params, uint32_t seed, struct weights *ret_weights)
{
    if (!allocate(params, ret_weights))
        return false;
    for (size_t l = 0; l < network_depth(params); l++)
        network_draw_weight(params, l, seed, ret_weights->layers[l]);
    return true;
}

bool weights_copy(const struct network *network, struct weights *ret_weights)
{
    if (!allocate(&network->params, ret_weights))
        return false;
    for (size_t l = 0; l < network->depth; l++)
        layer_weight(&network->layers[l], ret_weights->layers[l]);
    return true;
}

void weights_tensors(const struct network_params *params, const struct weights *weights,
                     struct tensor *tensors)
{
    for (size_t l = 0; l < network_depth(params); l++) {
        tensors[l] = (struct tensor){
            .rows = network_neurons(params, l),
            .columns = network_afferents(params, l),
            .values = weights->layers[l],
        };
        strcpy(tensors[l].name, weights_name(params, l));
    }
}

static bool find_layers(const struct network_params *params, const struct tensors *tensors,
                        const float **layers)
{
    for (size_t l = 0; l < network_depth(params); l++) {
        const struct tensor *tensor = &tensors->items[l];
        if (l >= tensors->count || strcmp(tensor->name, weights_name(params, l)) != 0 ||
            tensor->rows != network_neurons(params, l) ||
            tensor->columns != network_afferents(params, l))
            return false;
        layers[l] = tensor->values;
    }
    return true;
}

enum store_status weights_restore(const struct network_params *params,
                                  const struct tensors *tensors, struct network **ret_network)
{
    const float *layers[NETWORK_LAYERS];
    if (!find_layers(params, tensors, layers))
        return STORE_CORRUPT;
    return network_create(params, layers, ret_network) == CORE_OK ? STORE_OK : STORE_NO_MEMORY;
}
