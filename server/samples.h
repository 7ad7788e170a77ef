/* samples.h - a set of labelled samples, as it is trained on and kept in the store. */
#ifndef SERVER_SAMPLES_H
#define SERVER_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum samples_kind {
    SAMPLES_X,           /* real values, through the model's encoder */
    SAMPLES_IN_SPIKES,   /* one spike time an afferent, negative: silent */
    SAMPLES_SPIKE_TRAINS /* any number of spike times an afferent */
};

/* Arrays are owned. */
struct samples {
    enum samples_kind kind;
    size_t count;
    size_t features;
    float *values;  /* [count][features]; NULL of SAMPLES_SPIKE_TRAINS */
    int32_t *label; /* [count]; NULL where there are none */

    /* Of SAMPLES_SPIKE_TRAINS: how many spikes each afferent has, and all their times in a row. */
    uint32_t *spikes; /* [count][features] */
    float *times;     /* [first[count]] */
    size_t *first;    /* [count + 1] where in `times` those of a sample begin */
};

/* Frees the arrays; does nothing on a zeroed struct. */
void samples_finish(struct samples *samples);

/* Makes `first` from `spikes`. False: no memory. */
bool samples_index(struct samples *samples);

/* Copies `count` of the samples, in the order of which[count]. False: no memory. */
bool samples_select(const struct samples *samples, const uint32_t *which, size_t count,
                    struct samples *ret_samples);

#endif
