/* config.h - what a model is made of, apart from its weights and names. config_json.h reads it. */
#ifndef SERVER_MODEL_CONFIG_H
#define SERVER_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"
#include "server/base/problem.h"
#include "server/model/encoder_ranges.h"

struct model_config {
    bool has_encoder;
    struct encoder encoder;     /* owned */
    enum encoder_ranges ranges; /* of the encoder */
    struct network_params network;
    uint32_t seed;
};

void model_config_finish(struct model_config *config); /* does nothing on a zeroed one */

/* The numbers of a sample: values for its encoder, or spikes of afferents. */
static inline size_t model_config_features(const struct model_config *config)
{
    return config->has_encoder ? encoder_features(&config->encoder)
                               : config->network.tempotron.in_features;
}

/* Checks the products of its sizes against their limits. Adds what is too large to the problem, at
 * the member of the config that is the cause. */
void model_config_check_sizes(const struct model_config *config, struct problem *problem);

#endif
