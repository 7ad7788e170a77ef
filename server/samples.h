/* samples.h - a set of labelled samples, as it is trained on and kept in the store. */
#ifndef SERVER_SAMPLES_H
#define SERVER_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

enum samples_kind {
    SAMPLES_X = 0,        /* real values, through the model's encoder */
    SAMPLES_IN_SPIKES = 1 /* one spike time an afferent, negative: silent */
};

struct samples {
    enum samples_kind kind;
    size_t count;
    size_t features;
    float *values;  /* owned, [count][features] */
    int32_t *label; /* owned, [count]; NULL where there are none */
};

/* Frees the arrays; does nothing on a zeroed struct. */
void samples_finish(struct samples *samples);

#endif
