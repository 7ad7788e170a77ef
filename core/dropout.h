/* dropout.h - spikes that are left out while a network trains (Srivastava et al. 2014).
 *
 * Which ones is a matter of the run's seed, the epoch and the sample alone, so that it is the same
 * however the samples are shared out. What is left counts for 1/(1 - rate): the neurons' kernel is
 * scaled. */
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

/* Leaves out each spike with the probability `rate` in [0, 1). */
void dropout_apply(struct pattern *pattern, double rate, struct dropout_stream *stream);

#endif
