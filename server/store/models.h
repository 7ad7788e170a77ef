/* models.h - the models: what they are, and which version each serves. */
#ifndef SERVER_STORE_MODELS_H
#define SERVER_STORE_MODELS_H

#include <stdbool.h>

#include "server/base/limits.h"
#include "server/store/versions.h"

struct model_record {
    int64_t sequence; /* grows with each model created, and is never used again: a call that changes
                         a model names it by this, and so can't meet another model that was made
                         meanwhile under the same id. Also the cursor of listings */
    char id[LIMIT_ID + 1];
    char *description; /* owned */
    char *config;      /* owned; JSON text: encoder, in_features, T ... as config_json defines it */
    char *summary;     /* owned; of a new model, the same without ranges, for listings; NULL: the
                          config is short enough for them */
    char *labels;      /* owned; JSON text of an array, or NULL */
    size_t label_count; /* of a new model; how many these are */
    bool is_abridged;   /* in a listing: config and labels are not all there is */
    int64_t version;    /* the one served */
    int64_t created_at;
    int64_t updated_at;
};
void model_record_finish(struct model_record *record);

/* Creates the model with its version 1. Tensors that `are_drawn` by its seed are not kept, except
 * their checksum. Reads the record's id, description, config, summary,
 * labels and their number. STORE_TAKEN. */
enum store_status store_model_insert(struct store *store, const struct model_record *record,
                                     const struct sealed_tensors *tensors, bool are_drawn,
                                     int64_t now, int64_t *ret_sequence);
enum store_status store_model_find(struct store *store, const char *id,
                                   struct model_record *ret_record);
/* By its sequence: no other one that has its id since. */
enum store_status store_model_find_made(struct store *store, int64_t sequence,
                                        struct model_record *ret_record);
/* Newest first, those with a sequence below `before` (0: all), up to `limit` into records[limit].
 * Long texts are read only as far as LIMIT_LISTED allows. */
enum store_status store_model_list(struct store *store, int64_t before, size_t limit,
                                   struct model_record *records, size_t *ret_count);

struct model_change {
    const char *description; /* NULL: as it is */
    const char *labels;      /* JSON text; NULL: as it is */
    size_t label_count;      /* how many these are */
    bool remove_labels;
    int64_t version; /* 0: as it is; must exist, else STORE_NOT_FOUND */
};
/* STORE_IN_USE: the labels can't change while a queued or running run uses a dataset whose classes
 * have names. */
enum store_status store_model_update(struct store *store, int64_t model,
                                     const struct model_change *change, int64_t now);
/* Whether the model serves this version: STORE_OK or STORE_NOT_FOUND. As long as the caller has the
 * writer, it stays so. */
enum store_status store_model_serves(struct store *store, int64_t model, int64_t version);
/* With its runs. Its versions, the metrics of its runs, and the samples that no other run uses
 * belong to nothing then, and are swept (store_pool_sweep()). STORE_IN_USE. */
enum store_status store_model_delete(struct store *store, const char *id);

#endif
