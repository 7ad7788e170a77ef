/* config.h - what a model is made of, apart from its weights and names. config_json.h reads it. */
#ifndef SERVER_MODEL_CONFIG_H
#define SERVER_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"
#include "server/base/problem.h"
#include "server/model/encoder_ranges.h"

/* What is read out of the last layer's neurons. */
enum read_out_kind {
    READ_OUT_V_MAX,      /* their greatest voltages, of which the class is decided */
    READ_OUT_SPIKE_COUNT /* how often they fire; see multi_spike.h. Of one layer, in continuous time
                          */
};

struct model_config {
    bool has_encoder;
    struct encoder encoder;     /* owned */
    enum encoder_ranges ranges; /* of the encoder */
    struct network_params network;
    enum read_out_kind read_out;
    uint32_t max_spikes; /* of READ_OUT_SPIKE_COUNT: an output's are counted up to so many */
    uint32_t seed;
};

void model_config_finish(struct model_config *config); /* does nothing on a zeroed one */

/* Checks the products of its sizes against their limits. Adds what is too large to the problem, at
 * the member of the config that is the cause. */
void model_config_check_sizes(const struct model_config *config, struct problem *problem);

/* What it costs to read out a sample of that many spikes; see LIMIT_WORK. */
uint64_t model_work(const struct model_config *config, size_t spikes);

#endif
