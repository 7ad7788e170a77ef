/* samples_json.h - reads the samples of a request: x or in_spikes, and label. */
#ifndef SERVER_MODEL_SAMPLES_JSON_H
#define SERVER_MODEL_SAMPLES_JSON_H

#include "core/samples.h"
#include "server/json/fields.h"
#include "server/model/model.h"

enum samples_use {
    SAMPLES_TO_PREDICT,
    SAMPLES_TO_EVALUATE,
    SAMPLES_TO_TRAIN, /* or to validate by */
    SAMPLES_TO_FIT    /* likewise, in a run that fits the encoder: whatever its ranges are now */
};

static inline bool is_to_train(enum samples_use use)
{
    return use == SAMPLES_TO_TRAIN || use == SAMPLES_TO_FIT;
}

/* Whether values may go through the model's encoder, so used. False with the problem,
 * encoder_not_fitted, set: it has no ranges yet. */
bool encoder_is_usable(const struct model *model, enum samples_use use, struct problem *problem);

/* Reads x [b][n] (through the model's encoder) or in_spikes [b][in_features], and where they are
 * not only to be predicted label [b], class numbers or names, or of a model that counts spikes
 * count [b][out_features]. Unless they are to be trained on, so
 * many that the forward pass would hold up whoever else asks are refused before one is read; and
 * unless the encoder is fitted to them, so are values outside of ranges that reject them. False
 * with the problem set. Free with samples_finish(). */
bool samples_read(struct fields *fields, const struct model *model, enum samples_use use,
                  struct samples *ret_samples);

/* What an array of samples is to a model: "x" or "in_spikes". */
const char *samples_member(const struct model *model);

/* The most spikes that a sample has; of trains the mean of them, and one an afferent. */
size_t samples_spikes(const struct samples *samples, const struct model_config *config);

/* The work of the forward pass over them; see LIMIT_WORK. */
uint64_t samples_work(const struct samples *samples, const struct model_config *config);

#endif
