/* model.h - a model in memory: one version of it, immutable, shared by reference counts. */
#ifndef SERVER_MODEL_H
#define SERVER_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "encoder.h"
#include "json_reader.h"
#include "json_writer.h"
#include "limits.h"
#include "store.h"
#include "tempotron.h"

/* What a model is made of, weights and names apart. */
struct model_config {
    bool has_encoder;
    struct encoder encoder; /* owned */
    struct tempotron_params params;
    uint32_t seed;
};

/* Reads encoder, in_features, out_features, T, tau, tau_s, v_threshold, clock and seed of an open
 * object, checks them and their products against the limits. False with the problem set. */
bool model_config_read(struct fields *fields, struct model_config *ret_config);
void model_config_finish(struct model_config *config); /* does nothing on a zeroed one */

/* Writes the same fields as members of the object that is being written. */
void model_config_write(struct json_writer *writer, const struct model_config *config);

/* The names of the classes; count 0 where they have none. */
struct labels {
    size_t count;
    char **names; /* owned, one block */
};

/* Reads an array of `count` different names. */
bool labels_read(const json_t *value, const char *pointer, size_t count, struct problem *problem,
                 struct labels *ret_labels);
void labels_finish(struct labels *labels);
void labels_write(struct json_writer *writer, const struct labels *labels); /* null for none */
/* The class of a name, or -1. */
int32_t labels_find(const struct labels *labels, const char *name);

struct model {
    atomic_uint references;
    char id[LIMIT_ID + 1];
    int64_t version;
    struct model_config config;
    struct labels labels;
    struct tempotron *tempotron;
    size_t bytes; /* of memory, roughly */
};

/* Makes a snapshot of what the store keeps. The caller holds one reference. */
enum store_status model_load(struct store *store, const char *id, int64_t version,
                             struct model **ret_model); /* version 0: the one served */
struct model *model_retain(struct model *model);
void model_release(struct model *model); /* takes NULL */

/* The weights as the store keeps them: values[out_features][in_features] is borrowed. */
struct tensor model_weight_tensor(const struct tempotron_params *params, const float *values);

#endif
