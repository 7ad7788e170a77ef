/* evaluation.h - how well a network meets the targets of samples. */
#ifndef CORE_EVALUATION_H
#define CORE_EVALUATION_H

#include <stddef.h>
#include <stdint.h>

#include "core/loss.h"
#include "core/network.h"
#include "core/samples.h"
#include "core/status.h"
#include "core/stop_check.h"
#include "core/thread_team.h"

struct evaluation {
    double loss;      /* mean over the decisions: one a sample, or with READ_OUT_SPIKE_COUNT one an
                         output of a sample */
    double accuracy;  /* share of the decisions that are right */
    size_t undecided; /* of READ_OUT_V_MAX: samples from which no spike reached the last layer; they
                         count as wrong, and are in no column below */
};

/* Evaluates a network that changes, again and again, on the same samples, with scratch memory that
 * is made once. All that it is given is borrowed until its end, except the loss. There is at least
 * one sample, with a target; encoding, team and stop_check may be NULL. */
struct evaluator;
enum core_status evaluator_create(const struct network *network, const struct samples *samples,
                                  const struct encoding *encoding, const struct loss *loss,
                                  const struct thread_team *team,
                                  const struct stop_check *stop_check,
                                  struct evaluator **ret_evaluator);
void evaluator_destroy(struct evaluator *evaluator); /* takes NULL */

/* confusion[classes][classes], unless NULL: rows are the true class, columns the decision.
 * The result is the same with any team. CORE_STOPPED: the stop check has ended it. */
enum core_status evaluator_run(struct evaluator *evaluator, struct evaluation *ret_evaluation,
                               uint64_t *confusion);

/* Creates an evaluator, runs and destroys it. */
enum core_status network_evaluate(const struct network *network, const struct samples *samples,
                                  const struct encoding *encoding, const struct loss *loss,
                                  const struct thread_team *team,
                                  const struct stop_check *stop_check,
                                  struct evaluation *ret_evaluation, uint64_t *confusion);

/* How well one class is recognised; what is undefined is 0. */
struct class_metrics {
    uint64_t support; /* samples of the class */
    double precision; /* share of the samples decided for the class that belong to it */
    double recall;    /* share of the samples of the class that are decided for it */
    double f1;        /* the harmonic mean of both */
};

/* For the class `number` of a confusion matrix; support counts its undecided samples too. */
struct class_metrics class_metrics(const uint64_t *confusion, size_t classes, size_t number,
                                   uint64_t support);

#endif
