/* model.h - a model in memory: one version of it, immutable, shared by reference counts. */
#ifndef SERVER_MODEL_MODEL_H
#define SERVER_MODEL_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/background.h"
#include "core/byte_table.h"
#include "server/base/limits.h"
#include "server/model/config.h"
#include "server/model/labels.h"
#include "server/model/weights.h"
#include "server/store/models.h"

struct model {
    atomic_uint references;
    int64_t sequence; /* see model_record */
    char id[LIMIT_ID + 1];
    int64_t version;
    struct model_config config;
    struct labels labels;
    struct network *network;   /* NULL: not loaded, or */
    struct tempotron *counter; /* of READ_OUT_SPIKE_COUNT; else NULL */
    struct byte_table table;   /* of its encoder, where has_table */
    bool has_table;
    struct background *background; /* likewise, of a model on the grid; else NULL */
    size_t bytes;                  /* of memory, roughly */
};

/* Makes a snapshot of what the store keeps. The caller holds one reference. */
enum store_status model_load(struct store *store, const char *id, int64_t version,
                             struct model **ret_model); /* version 0: the one served */
/* The same without its weights, which may be damaged: for calls that replace them, or need none. */
enum store_status model_load_description(struct store *store, const char *id,
                                         struct model **ret_model);
/* Copies the weights of one that is loaded. False: no memory. */
bool model_weights(const struct model *model, struct weights *ret_weights);
struct model *model_retain(struct model *model);
void model_release(struct model *model); /* takes NULL */

/* As store_model_find(), for whoever shows the model: the ranges that the version served was fitted
 * to are in the record's config. */
enum store_status model_record_find(struct store *store, const char *id,
                                    struct model_record *ret_record);
/* Puts them there, where there are some. */
enum store_status model_record_fit(struct store *store, struct model_record *record);

/* A model without weights, whose encoder is that of `base`, fitted to other ranges; takes the
 * encoder. The caller holds one reference. */
enum store_status model_fit(const struct model *base, struct encoder *take_encoder,
                            struct model **ret_model);

#endif
