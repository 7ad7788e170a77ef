/* config.h - what a model is made of, weights and names apart, as requests and the store tell
 * it. */
#ifndef SERVER_MODEL_CONFIG_H
#define SERVER_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/network.h"
#include "server/json/fields.h"
#include "server/json/writer.h"
#include "server/model/encoder_json.h"

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

/* Reads encoder, in_features, out_features, T, tau, tau_s, v_threshold, clock, hidden,
 * hidden_spike, neurons_per_class, score_beta, read_out, max_spikes and seed of an open object,
 * checks them and their products against the limits. False with the problem set. */
bool model_config_read(struct fields *fields, struct model_config *ret_config);
void model_config_finish(struct model_config *config); /* does nothing on a zeroed one */

/* Writes the same fields as members of the object that is being written. */
void model_config_write(struct json_writer *writer, const struct model_config *config);

/* The same as the text of an object, as the store keeps it; NULL: no memory. free() */
char *model_config_text(const struct model_config *config);

/* What a sample of so many spikes costs to read out; see LIMIT_WORK. */
uint64_t model_work(const struct model_config *config, size_t spikes);

#endif
