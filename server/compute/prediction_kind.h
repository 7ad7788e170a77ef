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
    const struct stop_check *stop_check; /* a kind that takes long for one output asks too, and may
                                            leave that output as it is; may be NULL */
    struct scratch *scratch;             /* the sample has gone forward to the last layer */
    size_t number;
};

extern const struct prediction_kind v_max_prediction, spike_count_prediction;

/* Where the values of a sample are in an array of a type: NULL if the type is not wanted. */
void *prediction_row(const struct prediction *prediction, unsigned type, size_t sample);

#endif
