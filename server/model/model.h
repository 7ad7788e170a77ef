/* model.h - a model in memory: one version of it, immutable, shared by reference counts. */
#ifndef SERVER_MODEL_MODEL_H
#define SERVER_MODEL_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/encoding.h"
#include "server/base/limits.h"
#include "server/model/config.h"
#include "server/model/labels.h"
#include "server/model/weights.h"
#include "server/store/models.h"

struct memory;

struct model {
    atomic_uint references;
    int64_t sequence; /* see model_record */
    char id[LIMIT_ID + 1];
    int64_t version;
    struct model_config config;
    struct labels labels;
    struct network *network;  /* NULL: not loaded */
    struct encoding encoding; /* of its encoder, once that has ranges; of a model on the grid with
                                  the background of its weights */
    size_t bytes;             /* of memory, roughly */
    struct memory *memory;    /* that it is counted in, unless it is small; NULL: none */
    size_t taken;             /* bytes of it, until the model is freed, the cache keeps it, or the
                                 last that holds it lets it go */
    unsigned holds;           /* see model_hold() */
};

/* Makes a snapshot of a version (0: the one served) that the store keeps; without its weights,
 * which may be damaged, for calls that replace them, or need none. The caller holds one reference.
 * With a memory, the weights are counted in it, and are not loaded if there is no room:
 * STORE_NO_ROOM. */
enum store_status model_load(struct store *store, const char *id, int64_t version,
                             bool with_weights, struct memory *memory, struct model **ret_model);
/* The cache counts the model from now on. */
void model_give_memory(struct model *model);
/* Takes a reference for an answer that may keep the model long after the cache has let it go: all
 * of them count it once. NULL with the problem set: there is no room. */
struct model *model_hold(struct model *model, struct problem *problem);
void model_let_go(struct model *model); /* takes NULL */
/* Whether values may go through the model's encoder, or fit it. False with the problem,
 * encoder_not_fitted, set: it has no ranges yet. */
bool model_encoder_is_usable(const struct model *model, bool fits, struct problem *problem);
struct model *model_retain(struct model *model);
void model_release(struct model *model); /* takes NULL */

/* For showing the model: puts the ranges that the served version was fitted to, if it was, into the
 * record's config. */
enum store_status model_record_fit(struct store *store, struct model_record *record);

/* The same for a listing: ranges of more than LIMIT_LISTED features only abridge the record. */
enum store_status model_record_fit_summary(struct store *store, struct model_record *record);

#endif
