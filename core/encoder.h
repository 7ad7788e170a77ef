/* encoder.h - turns a sample of real values into an input pattern: a tagged type, one file a kind.
 *
 * A new kind has a file of its own, a member of the union, and a case in each switch of encoder.c.
 * A value fires at most PATTERN_SLACK neurons, which lie side by side; neuron j of feature i is
 * afferent i * m + j, if each feature has m neurons. */
#ifndef CORE_ENCODER_H
#define CORE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/gaussian_tuning.h"
#include "core/latency.h"
#include "core/pattern.h"
#include "core/status.h"

enum encoder_type { ENCODER_GAUSSIAN_TUNING, ENCODER_LATENCY };

/* What happens to a value outside its feature's range. */
enum out_of_range {
    OUT_OF_RANGE_SILENT, /* it fires late or not at all; see gaussian_tuning.h, latency.h */
    OUT_OF_RANGE_CLAMP,  /* it is encoded as the nearer end of the range */
    OUT_OF_RANGE_REJECT  /* the caller refuses it; here it is encoded as with SILENT */
};

struct encoder {
    enum encoder_type type;
    enum out_of_range out_of_range; /* see encoder_set_out_of_range() */
    union {
        struct feature_ranges ranges; /* every type begins with these */
        struct gaussian_tuning gaussian_tuning;
        struct latency latency;
    };
};

void encoder_finish(struct encoder *encoder); /* does nothing on a zeroed one */

void encoder_set_out_of_range(struct encoder *encoder, enum out_of_range out_of_range);

/* The same encoder for other ranges, x_min[features] and x_max[features]; see feature_ranges.h. */
enum core_status encoder_with_ranges(const struct encoder *encoder, const float *x_min,
                                     const float *x_max, struct encoder *ret_encoder);

size_t encoder_features(const struct encoder *encoder);  /* values of a sample */
size_t encoder_neurons(const struct encoder *encoder);   /* neurons that encode one value */
size_t encoder_afferents(const struct encoder *encoder); /* neurons that encode a sample */
size_t encoder_spikes(const struct encoder *encoder);    /* the most spikes of a sample */
size_t encoder_bytes(const struct encoder *encoder);     /* of memory, roughly */
uint32_t encoder_max_spike_time(const struct encoder *encoder);

const float *encoder_x_min(const struct encoder *encoder); /* [features] */
const float *encoder_x_max(const struct encoder *encoder);

/* Whether a value lies within its feature's range. */
bool encoder_is_inside(const struct encoder *encoder, size_t feature, float x);

/* Fills the pattern with the spikes of x[features]. Its capacity is at least
 * encoder_spikes(). */
void encoder_encode(const struct encoder *encoder, const float *x, struct pattern *pattern);

/* The same spikes, from bytes. A byte table, if the encoder has one, is faster. */
void encoder_encode_bytes(const struct encoder *encoder, const uint8_t *x, struct pattern *pattern);

/* The spike times of the neurons of one feature, times[neurons]; -1: the neuron is silent. */
void encoder_encode_value(const struct encoder *encoder, size_t feature, float x, float *times);

#endif
