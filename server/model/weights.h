/* weights.h - the weights of a model's layers: a named tensor [neurons][afferents] for each,
 * "hidden_0" and so on, and "weight" for the last or only one. */
#ifndef SERVER_MODEL_WEIGHTS_H
#define SERVER_MODEL_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/network.h"
#include "server/store/versions.h"

struct weights {
    float *layers[NETWORK_LAYERS]; /* owned */
};

void weights_finish(struct weights *weights); /* does nothing on a zeroed one */

/* The name of a layer's tensor. */
const char *weights_name(const struct network_params *params, size_t layer);

/* The initial weights of a seed. False: no memory. */
bool weights_draw(const struct network_params *params, uint32_t seed, struct weights *ret_weights);

/* Those of a network. False: no memory. */
bool weights_copy(const struct network *network, struct weights *ret_weights);

/* As the store keeps them, tensors[network_depth(params)], whose values are borrowed. */
void weights_tensors(const struct network_params *params, const struct weights *weights,
                     struct tensor *tensors);

/* A network of what the store has kept. STORE_CORRUPT: a layer's tensor does not fit. */
enum store_status weights_restore(const struct network_params *params,
                                  const struct tensors *tensors, struct network **ret_network);

#endif
