/* single_layer.h - networks without hidden layers, for tests that ask what one layer of tempotrons
 * does. */
#ifndef TESTS_SUPPORT_SINGLE_LAYER_H
#define TESTS_SUPPORT_SINGLE_LAYER_H

#include "core/network.h"

/* With weight[out_features][in_features], all 0 if NULL; network_destroy(). */
struct network *single_layer(const struct tempotron_params *params, const float *weight);

/* Its weights, as [out_features][in_features]. */
void single_layer_weight(const struct network *network, float *ret_weight);

/* Its neurons, of which there are no more than BLOCK_NEURONS. */
struct tempotron *single_block(const struct network *network);

#endif
