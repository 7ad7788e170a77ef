/* samples_json.h - reads the samples of a request: x or in_spikes, and label. */
#ifndef SERVER_SAMPLES_JSON_H
#define SERVER_SAMPLES_JSON_H

#include "json_reader.h"
#include "model.h"
#include "sample_set.h"
#include "samples.h"

enum labels_wanted { SAMPLES_WITHOUT_LABEL, SAMPLES_WITH_LABEL };

/* Reads x [b][n] (through the model's encoder) or in_spikes [b][in_features], and label [b] where
 * it is wanted: class numbers, or names. False with the problem set. Free with samples_finish(). */
bool samples_read(struct fields *fields, const struct model *model, enum labels_wanted wanted,
                  struct samples *ret_samples);

/* Adds a too_large where the forward pass over the samples would hold up whoever else asks. */
void samples_check_work(const struct samples *samples, const struct tempotron_params *params,
                        struct problem *problem);

/* The samples as the core takes them; borrows from both. */
struct sample_set samples_view(const struct samples *samples, const struct model_config *config);

#endif
