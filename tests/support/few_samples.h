/* few_samples.h - a small task: samples that a single layer trains on in no time. */
#ifndef TESTS_SUPPORT_FEW_SAMPLES_H
#define TESTS_SUPPORT_FEW_SAMPLES_H

#include "core/network.h"
#include "core/training.h"

extern const float few_spikes[];
extern const int32_t few_labels[];
extern const struct tempotron_params few_shape;
extern const struct training_params few_params;

/* A layer with drawn weights; network_destroy(). */
struct network *few_drawn(void);

/* Trains it on `count` of the samples, beginning with number `from`. */
void few_train(struct network *network, size_t from, size_t count,
               const struct training_params *params);

#endif
