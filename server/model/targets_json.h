/* targets_json.h - reads what a model is to make of each sample: label, or count. */
#ifndef SERVER_MODEL_TARGETS_JSON_H
#define SERVER_MODEL_TARGETS_JSON_H

#include "core/samples.h"
#include "server/json/fields.h"
#include "server/model/model.h"

/* Reads the targets that the model's read-out learns: label [b], numbers or names of classes, or
 * count [b][out_features], each less than max_spikes. There is one for each of the samples, unless
 * these are empty, as when they could not be read. False with the problem set; the samples own
 * the targets, also on failure. */
bool targets_json_read(struct fields *fields, const struct model *model, struct samples *samples);

#endif
