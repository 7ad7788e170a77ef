/* cache.h - the models in memory, by id: the version that each serves.
 *
 * A prediction takes a reference and computes without any lock; a model that is changed meanwhile
 * stays as it was for those that hold it. A model is changed in the store only between
 * model_cache_change_begin() and model_cache_change_end(): meanwhile it is read only from the
 * store, so that no client that has seen the change is served what was before. The least recently
 * used models leave when the bytes exceed the budget. */
#ifndef SERVER_MODEL_CACHE_H
#define SERVER_MODEL_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "server/model/model.h"
#include "server/store/pool.h"

struct model_cache;

/* Models that are loaded, and those that it does not keep, are counted in the memory, which may be
 * NULL. NULL: no memory. */
struct model_cache *model_cache_create(struct store_pool *stores, struct memory *memory,
                                       size_t budget_bytes);
void model_cache_destroy(struct model_cache *cache); /* takes NULL */

/* A version of a model (0: the one served); release it with model_release(). STORE_NOT_FOUND: the
 * model, or the version, is not there. It is for a run, which has counted it already. */
enum store_status model_cache_get(struct model_cache *cache, const char *id, int64_t version,
                                  struct model **ret_model);

/* The same for a client, counted: NULL with model_not_found, version_not_found, overloaded or
 * another problem set. */
struct model *model_cache_find(struct model_cache *cache, const char *id, int64_t version,
                               struct problem *problem);

/* Likewise the model without its weights, from the store. */
struct model *model_cache_describe(struct model_cache *cache, const char *id,
                                   struct problem *problem);

/* Borrows the writer to change the model in the store. */
struct store *model_cache_change_begin(struct model_cache *cache, const char *id);
/* Gives the writer back, and returns the change's status. */
enum store_status model_cache_change_end(struct model_cache *cache, const char *id,
                                         enum store_status status);

/* Whether a version (0: the one served) is in memory now, so that to get it takes no time. */
bool model_cache_has(struct model_cache *cache, const char *id, int64_t version);

#endif
