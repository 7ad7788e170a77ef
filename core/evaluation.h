/* evaluation.h - how well a model classifies a set of samples. */
#ifndef CORE_EVALUATION_H
#define CORE_EVALUATION_H

#include <stddef.h>
#include <stdint.h>

#include "loss.h"
#include "sample_set.h"
#include "status.h"
#include "tempotron.h"

struct evaluation {
    double loss;      /* mean over the samples */
    double accuracy;  /* share of samples whose decision is their label */
    size_t undecided; /* samples in which no afferent spiked: wrong, and in no column below */
};

/* confusion[out_features][out_features], unless NULL: rows the true class, columns the decision.
 * The set has labels and is not empty. */
enum core_status evaluate(const struct tempotron *tempotron, const struct sample_set *set,
                          const struct loss *loss, struct evaluation *ret_evaluation,
                          uint64_t *confusion);

#endif
