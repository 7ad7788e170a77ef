/* sample_set.h - a borrowed view of samples, as one of several kinds of data. */
#ifndef CORE_SAMPLE_SET_H
#define CORE_SAMPLE_SET_H

#include <stddef.h>
#include <stdint.h>

#include "core/byte_table.h"
#include "core/encoder.h"
#include "core/pattern.h"

enum sample_kind {
    SAMPLE_VALUES,      /* real values, through the encoder */
    SAMPLE_BYTES,       /* values 0 .. 255, through the table */
    SAMPLE_SPIKE_TIMES, /* one spike time an afferent; negative: silent */
    SAMPLE_SPIKE_TRAINS /* any number of spike times an afferent */
};

struct sample_set {
    enum sample_kind kind;
    size_t count;
    size_t features;      /* values, or afferents, a sample */
    const int32_t *label; /* [count]; NULL where only predictions are asked for */

    const struct encoder *encoder;  /* of SAMPLE_VALUES, and of bytes that are images and moved */
    const struct byte_table *table; /* of SAMPLE_BYTES */
    const uint8_t *bytes;           /* [count][features] of SAMPLE_BYTES */
    const struct background *background; /* likewise; NULL: every spike is wanted */
    const float *values;                 /* [count][features] of SAMPLE_VALUES and _SPIKE_TIMES */

    /* Of SAMPLE_SPIKE_TRAINS: how many spikes each afferent has, then all their times in that
     * order, and where in `times` a sample's begin. */
    const uint32_t *spikes; /* [count][features] */
    const float *times;
    const size_t *first; /* [count + 1] */
};

/* The most spikes that a sample may have. */
size_t sample_set_capacity(const struct sample_set *set);

/* Fills the pattern with the spikes of a sample. It has that capacity. */
void sample_set_pattern(const struct sample_set *set, size_t sample, struct pattern *pattern);

#endif
