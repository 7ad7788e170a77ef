/* registry.h - the models in memory, by id: the version that each serves.
 *
 * A prediction takes a reference and computes without any lock; a model that is changed meanwhile
 * goes on as it was for those who hold it. Who changes a model in the store does so between
 * registry_change_begin() and registry_change_end(): in between it is read from the store alone, so
 * that nobody who has seen the change is served what was before. The least recently used models
 * leave when the bytes exceed the budget. */
#ifndef SERVER_REGISTRY_H
#define SERVER_REGISTRY_H

#include <stddef.h>
#include <stdint.h>

#include "model.h"
#include "store_pool.h"

struct registry;

struct registry *registry_create(struct store_pool *stores,
                                 size_t budget_bytes); /* NULL: no memory */
void registry_destroy(struct registry *registry);      /* takes NULL */

/* A version of a model (0: the one served); release it with model_release(). STORE_NOT_FOUND: the
 * model, or the version, is not there. */
enum store_status registry_get(struct registry *registry, const char *id, int64_t version,
                               struct model **ret_model);

/* The model without its weights, from the store. */
enum store_status registry_describe(struct registry *registry, const char *id,
                                    struct model **ret_model);

void registry_change_begin(struct registry *registry, const char *id);
void registry_change_end(struct registry *registry, const char *id);

#endif
