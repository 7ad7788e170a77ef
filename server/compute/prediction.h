/* prediction.h - what a model makes of samples: the decisions, the voltages and spikes that led to
 * them, and how each came about. */
#ifndef SERVER_COMPUTE_PREDICTION_H
#define SERVER_COMPUTE_PREDICTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/explanation.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/thread_team.h"
#include "server/model/model.h"

/* What ret_type asks for, in the order of the answer. */
enum ret_type { RET_LABEL, RET_V_MAX, RET_SCORE, RET_SPIKES, RET_HIDDEN_SPIKES, RET_V, RET_COUNT };

/* How one decision came about. */
enum { CONTRIBUTIONS = 10 };
struct decision {
    double t_max;  /* of the output decided for */
    size_t output; /* whose peak it is: of the class decided for, the greatest */
    double margin; /* how far the score is above the next class's, or where it is alone, v_threshold
                    */
    size_t count;
    struct contribution contributions[CONTRIBUTIONS];
};

struct prediction {
    bool wanted[RET_COUNT];
    bool explains;
    size_t count;
    size_t classes;
    size_t neurons; /* outputs */
    size_t T;
    int32_t *label;               /* [count]; -1: undecided */
    float *v_max;                 /* [count][neurons] */
    float *score;                 /* [count][classes]; NULL unless wanted */
    float *spikes;                /* [count][neurons]; -1: silent */
    float *hidden[HIDDEN_LAYERS]; /* [count][neurons of the layer] likewise; NULL unless wanted */
    float *v;                     /* [count][neurons][T]; NULL unless wanted */
    struct decision *decisions;   /* [count]; NULL unless they are to be explained */
};

/* Numbers of an answer for one sample. */
size_t prediction_size(const struct model *model, const struct prediction *wanted);

/* Fills the prediction, whose wishes are set, for all samples. The model reads out v_max.
 * team may be NULL; any gives the same bits. Free with prediction_finish() in any case. */
enum core_status predict(const struct model *model, const struct samples *samples,
                         const struct thread_team *team, struct prediction *prediction);
void prediction_finish(struct prediction *prediction);

#endif
