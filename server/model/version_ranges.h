/* version_ranges.h - the ranges that an encoder was fitted to, as a version keeps them: two tensors
 * beside its weights, "encoder.x_min" and "encoder.x_max", one row each. A version without them has
 * the ranges of the model's config. */
#ifndef SERVER_MODEL_VERSION_RANGES_H
#define SERVER_MODEL_VERSION_RANGES_H

#include "server/model/config.h"
#include "server/store/versions.h"

enum { RANGE_TENSORS = 2 };

/* The config's encoder if it was fitted, else NULL. */
const struct encoder *version_ranges_fitted(const struct model_config *config);

/* Fills in the tensors of a fitted encoder, whose values are borrowed. Returns their number: none
 * if the encoder is NULL. */
size_t version_ranges_put(const struct encoder *fitted, struct tensor tensors[RANGE_TENSORS]);

/* The number of a version's tensors that are ranges. */
size_t version_ranges_count(const struct tensors *tensors);

/* Fits the config's encoder to the ranges among a version's tensors, if it has some. STORE_CORRUPT,
 * STORE_NO_MEMORY. */
enum store_status version_ranges_take(const struct tensors *tensors, struct model_config *config);

/* How many features a version has ranges of; 0: it has none. */
enum store_status version_ranges_features(struct store *store, int64_t model, int64_t version,
                                          size_t *ret_features);

/* See store_size_of_model(): with the ranges that the served version was fitted to. */
size_t version_ranges_size_of_model(struct store *store, const char *id, size_t enough);

/* Loads only these tensors of a version: its checksum, which is that of all tensors, is not
 * verified. STORE_NOT_FOUND: it has none. */
enum store_status version_ranges_peek(struct store *store, int64_t model, int64_t version,
                                      struct tensors *ret_tensors);

#endif
