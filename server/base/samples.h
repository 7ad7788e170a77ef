/* samples.h - a set of labelled samples, as it is trained on and kept in the store. */
#ifndef SERVER_BASE_SAMPLES_H
#define SERVER_BASE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum samples_kind {
    SAMPLES_X,            /* real values, through the model's encoder */
    SAMPLES_IN_SPIKES,    /* one spike time an afferent, negative: silent */
    SAMPLES_SPIKE_TRAINS, /* any number of spike times an afferent */
    SAMPLES_BYTES         /* real values that are all whole numbers 0 .. 255; never in the store */
};

/* Arrays are owned. */
struct samples {
    enum samples_kind kind;
    size_t count;
    size_t features;
    float *values;  /* [count][features] of SAMPLES_X and SAMPLES_IN_SPIKES */
    uint8_t *bytes; /* [count][features] of SAMPLES_BYTES */
    int32_t *label; /* [count]; NULL where there are none */

    /* In place of labels, of a model that counts spikes: how often each output is to fire. */
    size_t outputs;
    uint32_t *wanted; /* [count][outputs]; NULL where there are none */

    /* Of SAMPLES_SPIKE_TRAINS: how many spikes each afferent has, and all their times in a row. */
    uint32_t *spikes; /* [count][features] */
    float *times;     /* [first[count]] */
    size_t *first;    /* [count + 1] where in `times` those of a sample begin */
};

/* Frees the arrays; does nothing on a zeroed struct. */
void samples_finish(struct samples *samples);

/* Makes `first` from `spikes`. False: no memory. */
bool samples_index(struct samples *samples);

/* Turns values that are all whole numbers 0 .. 255, as the pixels of images are, into bytes; leaves
 * others as they are. False: no memory. */
bool samples_to_bytes(struct samples *samples);
/* Turns bytes into values. False: no memory. */
bool samples_to_values(struct samples *samples);

/* Sets a share of the samples, drawn by the seed, aside; both are copies, and *samples becomes the
 * rest. False: no memory. */
bool samples_split(struct samples *samples, uint32_t seed, size_t drawn, struct samples *ret_aside);

/* Copies `count` of the samples, in the order of which[count]. False: no memory. */
bool samples_select(const struct samples *samples, const uint32_t *which, size_t count,
                    struct samples *ret_samples);

#endif
