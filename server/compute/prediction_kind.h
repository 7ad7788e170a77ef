/* prediction_kind.h - what prediction.c asks of each kind of read-out. */
#ifndef SERVER_COMPUTE_PREDICTION_KIND_H
#define SERVER_COMPUTE_PREDICTION_KIND_H

#include "server/compute/prediction.h"
#include "server/compute/scratch.h"

/* One sample that is predicted, by one thread. */
struct prediction_sample {
    const struct model *model;
    const struct samples *samples;
    const struct prediction_options *options;
    struct prediction *prediction;
    struct scratch *scratch; /* the sample has gone forward to the last layer */
    size_t number;
};

struct prediction_kind {
    const struct prediction_type *types;
    /* Threads may share a sample's outputs; else one thread predicts all of a sample. */
    bool splits_outputs;
    size_t (*size)(const struct model_config *config, const struct prediction_options *options);
    /* Of a sample with that many spikes. */
    uint64_t (*work)(const struct model_config *config, const struct prediction_options *options,
                     size_t spikes);
    /* Called once by each thread that has a part in a sample. */
    void (*begin)(const struct prediction_sample *sample);
    /* Predicts one output, or all of the sample. False: no memory. */
    bool (*fill)(const struct prediction_sample *sample, size_t output);
};

extern const struct prediction_kind v_max_prediction, spike_count_prediction;

/* Where the values of a sample are in an array of a type: NULL if the type is not wanted. */
void *prediction_row(const struct prediction *prediction, unsigned type, size_t sample);

#endif
