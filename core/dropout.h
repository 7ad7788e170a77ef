/* dropout.h - spikes that are left out while a network trains (Srivastava et al. 2014).
 *
 * Only the run's seed, the epoch and the sample decide which spikes these are, so that they are the
 * same for any number of threads. The remaining spikes count 1/(1 - rate) times: the neurons'
 * kernel is scaled. */
#ifndef CORE_DROPOUT_H
#define CORE_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

#include "core/pattern.h"

/* A stream of random numbers (splitmix64: Steele, Lea & Flood 2014). */
struct dropout_stream {
    uint64_t state;
};

struct dropout_stream dropout_stream_of(uint32_t seed, size_t epoch, size_t sample);
uint32_t dropout_draw(struct dropout_stream *stream);

/* Leaves out each spike with the probability `rate`, 0 <= rate < 1. */
void dropout_apply(struct pattern *pattern, double rate, struct dropout_stream *stream);

#endif
