/* v_max_read_out.h - reads out the highest voltage of each neuron: of those, a class is decided.
 *
 * If a class has several neurons, each can learn a different kind of its patterns. The score of a
 * class is nearly the greatest v_max of its neurons, and smooth, so that all of them learn:
 *
 *     score_k = 1/beta log sum_g exp(beta v_max_kg) */
#ifndef CORE_V_MAX_READ_OUT_H
#define CORE_V_MAX_READ_OUT_H

#include <stddef.h>
#include <stdint.h>

struct activity;
struct layer_gradient;
struct membranes;
struct network;
struct read_out_outcome;
struct read_out_task;

struct v_max_read_out {
    size_t neurons_per_class; /* >= 1, side by side */
    float beta;               /* > 0 */
};

/* Reads the last layer of a sample that has gone forward: v_max, t_max and the scores of the
 * classes. Fills v[out_features][T], its voltages at t = 0 .. T - 1, unless NULL. */
void v_max_read_out_read(const struct network *network, struct membranes *membranes,
                         struct activity *activity, float *v);

/* activity_forward(), then the same. */
void v_max_read_out_forward(const struct network *network, struct membranes *membranes,
                            struct activity *activity, float *v);

/* See read_out_sample(). */
void v_max_read_out_sample(const struct network *network, const struct read_out_task *task,
                           struct membranes *membranes, struct activity *activity,
                           struct layer_gradient *gradient, struct read_out_outcome *ret_outcome);

/* v_max[classes * neurons_per_class], score[classes]: with one neuron a class, its v_max itself. */
void v_max_read_out_scores(const struct v_max_read_out *read_out, const float *v_max,
                           size_t classes, float *score);

/* The score of a class none of whose neurons rose above rest: ln(neurons_per_class)/beta. */
float v_max_read_out_rest(const struct v_max_read_out *read_out);

/* From the loss's derivative by the scores, ds[classes], to that by v_max, dv[classes *
 * neurons_per_class]; both may be the same array. */
void v_max_read_out_backward(const struct v_max_read_out *read_out, const float *v_max,
                             const float *ds, size_t classes, float *dv);

/* The class with the highest score; ties go to the first class. */
size_t v_max_read_out_decide(const float *score, size_t classes);

/* Of a sample that was read: the class decided, or READ_OUT_UNDECIDED if no spike reached the last
 * layer; and spikes[out_features], the time of each neuron's greatest voltage, or -1 if that is
 * below the threshold. */
int32_t v_max_read_out_label(const struct network *network, const struct activity *activity);
void v_max_read_out_spikes(const struct network *network, const struct activity *activity,
                           float *spikes);

#endif
