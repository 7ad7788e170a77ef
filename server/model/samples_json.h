/* samples_json.h - reads the samples of a request: x or in_spikes, and their targets. */
#ifndef SERVER_MODEL_SAMPLES_JSON_H
#define SERVER_MODEL_SAMPLES_JSON_H

#include "core/samples.h"
#include "server/json/fields.h"
#include "server/model/model.h"

enum samples_use {
    SAMPLES_TO_PREDICT,
    SAMPLES_TO_EVALUATE,
    SAMPLES_TO_TRAIN, /* or to validate by */
    SAMPLES_TO_FIT    /* likewise, in a run that fits the encoder: values outside its present
                         ranges are accepted */
};

static inline bool samples_json_trains(enum samples_use use)
{
    return use == SAMPLES_TO_TRAIN || use == SAMPLES_TO_FIT;
}

/* Reads x [b][n] (through the model's encoder) or in_spikes [b][in_features], and their targets
 * unless they are only to be predicted. Samples whose forward pass would take too long are refused
 * before one is read, unless they are to be trained on. Values outside of ranges that reject them
 * are refused, unless the encoder is fitted to them. False with the problem set. Free with
 * samples_finish(). */
bool samples_json_read(struct fields *fields, const struct model *model, enum samples_use use,
                       struct samples *ret_samples);

/* What an array of samples is to a model: "x" or "in_spikes". */
const char *samples_json_member(const struct model *model);

/* The spikes that a sample is counted with: one an afferent, and the mean of trains. */
size_t samples_json_spikes(const struct samples *samples, const struct model_config *config);

#endif
