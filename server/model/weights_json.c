#include "server/model/weights_json.h"

#include <stdlib.h>

#include "server/base/limits.h"
#include "server/json/float_array.h"

bool weights_json_are_given(struct fields *fields, const struct network_params *params)
{
    bool given = false;
    for (size_t l = 0; l < network_depth(params); l++)
        given |= fields_is_given(fields, weights_name(params, l));
    return given;
}

bool weights_json_read_layer(struct fields *fields, const struct network_params *params,
                             size_t layer, struct weights *weights)
{
    struct float_array array;
    const char *name = weights_name(params, layer);
    const size_t neurons = network_neurons(params, layer);
    const size_t afferents = network_afferents(params, layer);
    if (!float_array_read(fields, name, FIELD_REQUIRED, 2, 2, LIMIT_WEIGHTS, &array))
        return false;
    if (array.shape[0] != neurons || array.shape[1] != afferents) {
        fields_refuse(fields, name, PROBLEM_WRONG_SHAPE,
                      "The weights must be [%zu][%zu], neurons by inputs, but are [%zu][%zu].",
                      neurons, afferents, array.shape[0], array.shape[1]);
        float_array_finish(&array);
        return false;
    }
    free(weights->layers[layer]);
    weights->layers[layer] = array.values;
    return true;
}

bool weights_json_read(struct fields *fields, const struct network_params *params,
                       struct weights *ret_weights)
{
    bool read = true;
    struct weights weights = {0};
    for (size_t l = 0; l < network_depth(params); l++)
        read &= weights_json_read_layer(fields, params, l, &weights);
    if (read)
        *ret_weights = weights;
    else
        weights_finish(&weights);
    return read;
}
