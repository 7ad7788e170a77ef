/* loss.h - how far the outputs' highest voltages are from what a label asks of them. */
#ifndef CORE_LOSS_H
#define CORE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SpikingJelly's mse_loss. An output is wrong if it fires (v_max >= v_threshold) and is not the
 * label's, or if it does not fire and is. The loss is the sum of (v_max - v_threshold)^2 over wrong
 * outputs, divided by the batch.
 *
 * v_max[batch][classes], label[batch], batch > 0. v_threshold[batch][classes] with threshold_stride
 * 1; with 0 it is one number for all. */
double mse_loss(const float *v_max, const float *v_threshold, size_t threshold_stride,
                const int32_t *label, size_t batch, size_t classes);

enum loss_type {
    LOSS_MSE,           /* mse_loss */
    LOSS_CROSS_ENTROPY, /* -log softmax(beta v_max)[label] */
    LOSS_MARGIN,        /* the squares of how far the label's output is below `target`, and the
                           others are above `other` */
    LOSS_TEMPOTRON      /* the sum of |v_max - v_threshold| over wrong outputs; its gradient step is
                           Gütig & Sompolinsky's rule, +-K(t_max - t_i) on errors */
};

struct loss {
    enum loss_type type;
    float v_threshold;
    float beta;   /* of LOSS_CROSS_ENTROPY, > 0 */
    float target; /* of LOSS_MARGIN */
    float other;  /* of LOSS_MARGIN, < target */
};

/* The same loss for scores that are `rest` if all voltages are 0. */
struct loss loss_above(const struct loss *loss, float rest);

/* Whether the label's output learns although it never rose above rest, and so has no gradient. mse
 * and cross_entropy have torch's gradients, with one exception: if no output rose above rest, a
 * sample could never teach anything with cross_entropy. */
bool loss_revives(const struct loss *loss, bool any_rose);

/* The loss of one sample by v_max[classes]; fills its derivative dv[classes] unless NULL. */
double loss_of_sample(const struct loss *loss, const float *v_max, int32_t label, size_t classes,
                      float *dv);

#endif
