/* views.h - samples that show a test's own arrays; never finished. */
#ifndef TESTS_SUPPORT_VIEWS_H
#define TESTS_SUPPORT_VIEWS_H

#include "core/samples.h"

/* label[count], or NULL: no targets. */
static inline struct targets view_labels(const int32_t *label)
{
    return (struct targets){.kind = label != NULL ? TARGETS_CLASS : TARGETS_NONE,
                            .label = (int32_t *)label};
}

/* values[count][features] of SAMPLES_VALUES or SAMPLES_SPIKE_TIMES. */
static inline struct samples view_values(enum samples_kind kind, size_t count, size_t features,
                                         const float *values, const int32_t *label)
{
    return (struct samples){.kind = kind,
                            .count = count,
                            .features = features,
                            .data.values = (float *)values,
                            .targets = view_labels(label)};
}

/* bytes[count][features]. */
static inline struct samples view_bytes(size_t count, size_t features, const uint8_t *bytes,
                                        const int32_t *label)
{
    return (struct samples){.kind = SAMPLES_BYTES,
                            .count = count,
                            .features = features,
                            .data.bytes = (uint8_t *)bytes,
                            .targets = view_labels(label)};
}

/* See struct spike_trains; no targets. */
static inline struct samples view_trains(size_t count, size_t features, const uint32_t *spikes,
                                         const float *times, const size_t *first)
{
    return (struct samples){.kind = SAMPLES_SPIKE_TRAINS,
                            .count = count,
                            .features = features,
                            .data.trains = {(uint32_t *)spikes, (float *)times, (size_t *)first}};
}

#endif
