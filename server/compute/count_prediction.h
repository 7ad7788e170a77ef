/* count_prediction.h - what a model that counts spikes makes of samples: how often each output
 * fires, when, at which thresholds it would fire how often, and its voltage with the resets. */
#ifndef SERVER_COMPUTE_COUNT_PREDICTION_H
#define SERVER_COMPUTE_COUNT_PREDICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/samples.h"
#include "core/status.h"
#include "core/thread_team.h"
#include "server/model/model.h"

struct count_prediction {
    /* What is wanted beside the counts. */
    bool wants_times;
    bool wants_v;
    size_t k_max; /* of the thresholds; 0: they are not wanted */

    size_t samples;
    size_t outputs;
    size_t max_spikes; /* where so many are counted, there may be others, later */
    size_t T;
    int32_t *count; /* [samples][outputs] */
    double *times;  /* [samples][outputs][max_spikes] of which the first `count` are set, or NULL */
    double *theta;  /* [samples][outputs][k_max] theta*_k of k = 1 .. k_max; NAN: none; or NULL */
    float *v;       /* [samples][outputs][T] or NULL */
};

/* Numbers of an answer for one sample. */
size_t count_prediction_size(const struct model *model, const struct count_prediction *wanted);

/* Fills the prediction, whose wishes are set, for all samples. The model counts spikes. team may be
 * NULL; any gives the same bits. Free with count_prediction_finish() in any case. */
enum core_status count_predict(const struct model *model, const struct samples *samples,
                               const struct thread_team *team, struct count_prediction *prediction);
void count_prediction_finish(struct count_prediction *prediction);

#endif
