/* count_json.h - the fields of requests to models that count spikes: how often each output is to
 * fire, in place of a label. */
#ifndef SERVER_MODEL_COUNT_JSON_H
#define SERVER_MODEL_COUNT_JSON_H

#include "core/samples.h"
#include "server/json/fields.h"
#include "server/model/config.h"

/* Reads count [b][out_features], each fewer than max_spikes, into the samples'
 * targets. False with the
 * problem set. */
bool counts_read(struct fields *fields, const struct model_config *config, struct samples *samples);

/* Refuses, by name, each of these fields (ended by NULL) that is given: they are of the read-out
 * v_max. */
void counts_refuse(struct fields *fields, const char *const *names);

#endif
