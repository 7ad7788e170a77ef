/* dataset_samples.h - a dataset as the samples of a model. */
#ifndef SERVER_MODEL_DATASET_SAMPLES_H
#define SERVER_MODEL_DATASET_SAMPLES_H

#include "server/model/model.h"
#include "server/model/samples_json.h"
#include "server/store/datasets.h"

/* Whether a dataset can be used in this way with a model, from what is known without its values.
 * False with the problem, at `pointer`, set. */
bool dataset_samples_suit(const struct dataset_record *dataset, const struct model *model,
                          enum samples_use use, const char *pointer, struct problem *problem);

/* Whether the values of a dataset that suits lie in the ranges of the model's encoder. They are
 * read chunk by chunk, not loaded. Adds the first that does not to the problem, at `pointer`. */
enum store_status dataset_samples_check(struct store *store, const struct dataset_record *dataset,
                                        const struct model *model, const char *pointer,
                                        struct problem *problem);

/* The bytes of memory that loading the samples takes. */
size_t dataset_samples_bytes(const struct dataset_record *dataset);

/* Loads the samples of a dataset that suits, as the model takes them: through its encoder, or as
 * spike times; and, unless they are only to be predicted, their labels as the model numbers them.
 * Bytes stay bytes. Other values to train on, through an encoder, stay float32: samples_suit()
 * makes bytes of them. Free with samples_finish(). */
enum store_status dataset_samples_load(struct store *store, const struct dataset_record *dataset,
                                       const struct model *model, enum samples_use use,
                                       struct samples *ret_samples);

#endif
