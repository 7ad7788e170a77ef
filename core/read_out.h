/* read_out.h - from the voltages of the last layer's neurons to a score for each class.
 *
 * Where a class has several neurons, each can learn a different kind of its patterns: the score is
 * nearly the greatest of their v_max, and smooth, so that all of them learn:
 *
 *     score_k = 1/beta log sum_g exp(beta v_max_kg) */
#ifndef CORE_READ_OUT_H
#define CORE_READ_OUT_H

#include <stddef.h>

struct read_out {
    size_t neurons_per_class; /* >= 1, side by side */
    float beta;               /* > 0 */
};

/* v_max[classes * neurons_per_class], score[classes]: of one neuron a class its v_max itself. */
void read_out_scores(const struct read_out *read_out, const float *v_max, size_t classes,
                     float *score);

/* The score of a class none of whose neurons rose above rest: ln(neurons_per_class)/beta. */
float read_out_rest(const struct read_out *read_out);

/* From the loss's derivative by the scores, ds[classes], to that by v_max, dv[classes *
 * neurons_per_class]. */
void read_out_backward(const struct read_out *read_out, const float *v_max, const float *ds,
                       size_t classes, float *dv);

/* The decision: the class of the greatest score, the lowest of equals. */
size_t read_out_decide(const float *score, size_t classes);

#endif
