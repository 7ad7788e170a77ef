/* data_source.h - what a run trains on or validates by: samples of its own, or a dataset; if it
 * has neither, there is no such set. */
#ifndef SERVER_STORE_DATA_SOURCE_H
#define SERVER_STORE_DATA_SOURCE_H

#include <stdint.h>

#include "core/samples.h"
#include "server/base/checksum.h"

struct data_source {
    struct samples samples;     /* count 0: none; owned */
    int64_t samples_row;        /* of the store, once it has them */
    int64_t dataset;            /* the sequence of a dataset; 0: none */
    size_t dataset_count;       /* samples of the dataset */
    size_t memory;              /* bytes of its samples, once a run has loaded them, */
    size_t capacity;            /* and the most spikes that one of them may have */
    char sha256[CHECKSUM_TEXT]; /* of the dataset when it was found, or of the samples */
};

static inline size_t data_source_count(const struct data_source *source)
{
    return source->dataset != 0 ? source->dataset_count : source->samples.count;
}

#endif
