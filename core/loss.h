/* loss.h - how far the outputs' greatest voltages are from what a label asks of them. */
#ifndef CORE_LOSS_H
#define CORE_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SpikingJelly's mse_loss: an output is wrong where it fires (v_max >= v_threshold) and is not
 * the label's, or the reverse; the loss sums (v_max - v_threshold)^2 over wrong outputs and divides
 * by the batch.
 *
 * v_max[batch][classes]; v_threshold[batch][classes], or one number for all where threshold_stride
 * is 0 (else 1); label[batch]. batch > 0. */
double mse_loss(const float *v_max, const float *v_threshold, size_t threshold_stride,
                const int32_t *label, size_t batch, size_t classes);

enum loss_type {
    LOSS_MSE,           /* mse_loss */
    LOSS_CROSS_ENTROPY, /* -log softmax(beta v_max)[label] */
    LOSS_MARGIN,        /* squares of how far the label's output is below `target`, and of how far
                           the others are above `other` */
    LOSS_TEMPOTRON      /* sum of |v_max - v_threshold| over wrong outputs: its gradient step is
                           Gütig & Sompolinsky's rule, +-K(t_max - t_i) on errors */
};

struct loss {
    enum loss_type type;
    float v_threshold;
    float beta;   /* of LOSS_CROSS_ENTROPY, > 0 */
    float target; /* of LOSS_MARGIN */
    float other;  /* of LOSS_MARGIN, < target */
};

/* The same of scores that are `rest` where voltages would be 0. */
struct loss loss_above(const struct loss *loss, float rest);

/* Whether the label's output learns even where it never rose above rest, and so has no gradient.
 * mse and cross_entropy have torch's gradients; but where no output rose above rest, a sample
 * would teach nothing at all with cross_entropy, for ever. */
bool loss_revives(const struct loss *loss, bool any_rose);

/* The loss of one sample, v_max[classes], and its derivative dv[classes] unless NULL. */
double loss_of_sample(const struct loss *loss, const float *v_max, int32_t label, size_t classes,
                      float *dv);

#endif
