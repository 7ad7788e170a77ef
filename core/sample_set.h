/* sample_set.h - a borrowed view of labelled samples. */
#ifndef CORE_SAMPLE_SET_H
#define CORE_SAMPLE_SET_H

#include <stddef.h>
#include <stdint.h>

#include "encoder.h"
#include "pattern.h"

struct sample_set {
    const struct encoder *encoder; /* of real values; NULL: the values are spike times */
    size_t count;
    size_t features;      /* values a sample */
    const float *values;  /* [count][features]; as spike times: negative is silent */
    const int32_t *label; /* [count]; NULL where only predictions are asked for */
};

/* Fills the pattern, sorted, with the spikes of a sample. Its capacity is at least the model's
 * in_features. */
void sample_set_pattern(const struct sample_set *set, size_t sample, struct pattern *pattern);

#endif
