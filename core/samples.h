/* samples.h - samples: one kind of data, and the target that each of them has.
 *
 * The same type holds samples and shows them to training, evaluation and prediction, which only
 * read them. To add a kind of data, extend the union and samples.c: everything else asks for
 * patterns. */
#ifndef CORE_SAMPLES_H
#define CORE_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/encoding.h"
#include "core/pattern.h"
#include "core/stop_check.h"

/* Stored checksums contain these numbers. */
enum samples_kind {
    SAMPLES_VALUES,       /* real values, through an encoder */
    SAMPLES_SPIKE_TIMES,  /* one spike time an afferent; negative: silent */
    SAMPLES_SPIKE_TRAINS, /* any number of spike times an afferent */
    SAMPLES_BYTES,        /* values 0 .. 255, through an encoder */
    SAMPLES_BYTE_TIMES    /* one spike time 0 .. 255 an afferent */
};

/* How many spikes each afferent has, then all their times in that order. */
struct spike_trains {
    uint32_t *spikes; /* [count][features] */
    float *times;     /* [first[count]] */
    size_t *first;    /* [count + 1] the index in `times` of each sample's first */
};

union samples_data {
    float *values;              /* [count][features] of SAMPLES_VALUES and SAMPLES_SPIKE_TIMES */
    uint8_t *bytes;             /* [count][features] of SAMPLES_BYTES and SAMPLES_BYTE_TIMES */
    struct spike_trains trains; /* of SAMPLES_SPIKE_TRAINS */
};

enum targets_kind {
    TARGETS_NONE,  /* the samples are only to be predicted */
    TARGETS_CLASS, /* the output that is to win; -1: no output is to fire */
    TARGETS_COUNT  /* how often each output is to fire */
};

struct targets {
    enum targets_kind kind;
    size_t outputs; /* of TARGETS_COUNT */
    union {
        int32_t *label;   /* [count] of TARGETS_CLASS */
        uint32_t *wanted; /* [count][outputs] of TARGETS_COUNT */
    };
};

/* Arrays come from malloc() and are owned, except in a view of another's samples, which is never
 * finished. */
struct samples {
    enum samples_kind kind;
    size_t count;
    size_t features; /* values, or afferents, a sample */
    union samples_data data;
    struct targets targets;
    const uint32_t *rows; /* [count] of a view: the row of data and targets that each sample is;
                             NULL: sample i is row i */
};

/* Where the data and the target of a sample are. */
static inline size_t samples_row(const struct samples *samples, size_t sample)
{
    return samples->rows != NULL ? samples->rows[sample] : sample;
}

void samples_finish(struct samples *samples); /* does nothing on a zeroed one */

/* Whether the samples go through an encoder. */
bool samples_are_encoded(const struct samples *samples);

/* The mean number of spikes that samples of spike trains have; 0 for other kinds. They are no view.
 */
size_t samples_mean_length(const struct samples *samples);

/* Bytes of memory of the arrays, which are no view. */
size_t samples_bytes(const struct samples *samples);

/* The most spikes that a sample may have. The encoding may be NULL for samples that are spikes. */
size_t samples_capacity(const struct samples *samples, const struct encoding *encoding);

/* Fills the pattern, which has that capacity, with the spikes of a sample. */
void samples_pattern(const struct samples *samples, const struct encoding *encoding, size_t sample,
                     struct pattern *pattern);

/* Makes `first` of spike trains from `spikes`. False: no memory. */
bool samples_index(struct samples *samples);

/* Turns values that are all whole numbers 0 .. 255, as the pixels of images are, into bytes if the
 * encoding has a table of these. Bytes stay what they are. It takes no memory. */
void samples_suit(struct samples *samples, const struct encoding *encoding);

/* The numbers 0 .. count - 1 in an order drawn by the seed, to split samples by: each part is a
 * view. NULL: no memory, or a stop was requested. Free with free(). */
uint32_t *samples_shuffled(size_t count, uint32_t seed, const struct stop_check *stop_check);

/* Shows those samples, rows[count], of others, without copying them; both are borrowed. */
struct samples samples_view(const struct samples *samples, const uint32_t *rows, size_t count);

#endif
