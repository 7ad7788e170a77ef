/* v_max_read_out.h - reads out the highest voltage of each neuron, and decides a class by them.
 *
 * If a class has several neurons, each can learn a different kind of its patterns. The score of a
 * class is nearly the greatest v_max of its neurons, and smooth, so that all of them learn:
 *
 *     score_k = 1/beta log sum_g exp(beta v_max_kg) */
#ifndef CORE_V_MAX_READ_OUT_H
#define CORE_V_MAX_READ_OUT_H

#include <stddef.h>

struct v_max_read_out {
    size_t neurons_per_class; /* >= 1, side by side */
    float beta;               /* > 0 */
};

/* v_max[classes * neurons_per_class], score[classes]: with one neuron a class, its v_max itself. */
void v_max_read_out_scores(const struct v_max_read_out *read_out, const float *v_max,
                           size_t classes, float *score);

/* The score of a class if none of its neurons rose above rest: ln(neurons_per_class)/beta. */
float v_max_read_out_rest(const struct v_max_read_out *read_out);

/* From the loss's derivative by the scores, ds[classes], to that by v_max, dv[classes *
 * neurons_per_class]; both may be the same array. */
void v_max_read_out_backward(const struct v_max_read_out *read_out, const float *v_max,
                             const float *ds, size_t classes, float *dv);

/* The class with the highest score; ties go to the first class. */
size_t v_max_read_out_decide(const float *score, size_t classes);

#endif
