/* byte_table.h - the spikes of each of a byte's 256 values, encoded beforehand.
 *
 * They are the encoder's own spikes, for the price of a copy. Features of equal range share an
 * entry, so that the table of an image is small. */
#ifndef CORE_BYTE_TABLE_H
#define CORE_BYTE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/arena.h"
#include "core/encoder.h"
#include "core/pattern.h"

/* A table of more ranges would not fit a processor's cache, and one that few features share is not
 * worth its memory. */
enum { BYTE_TABLE_RANGES = 64, BYTE_TABLE_SHARE = 8 };

/* The neurons that one value fires lie side by side. */
struct byte_code {
    uint32_t first; /* neuron of the feature */
    uint32_t count; /* spikes kept */
    bool fired;     /* some neuron fires, even if too late */
    float time[PATTERN_SLACK];
};

struct byte_table {
    size_t n; /* features */
    size_t m; /* neurons a feature */
    float last;
    size_t ranges;
    uint32_t *range; /* [n] the index of each feature's codes */
    struct byte_code (*codes)[256];
};

/* Whether the features have few enough different ranges, and each of them enough features. */
bool byte_table_fits(const struct encoder *encoder);

/* For patterns whose `last` is the given one. byte_table_fits() holds. */
void byte_table_init(struct byte_table *table, const struct encoder *encoder, float last,
                     struct arena *arena);
size_t byte_table_bytes(const struct byte_table *table); /* of memory */

/* Turns values that are all whole numbers 0 .. 255 into bytes, in their place: values[count]
 * becomes bytes[count], from its beginning on. False: some are not, and all are as they were. */
bool byte_table_convert(float *values, size_t count);

struct background;

/* Fills the pattern with the spikes of x[n]. If the background is not NULL, blocks of features that
 * are all 0 are only named. */
void byte_table_encode(const struct byte_table *table, const struct background *background,
                       const uint8_t *x, struct pattern *pattern);

#endif
