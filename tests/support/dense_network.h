/* dense_network.h - the loss of a whole network by its definition, in double precision, so that its
 * differences can be compared with the core's gradients. */
#ifndef TESTS_SUPPORT_DENSE_NETWORK_H
#define TESTS_SUPPORT_DENSE_NETWORK_H

#include <stdbool.h>

#include "core/loss.h"
#include "core/network.h"

struct random;

enum { DENSE_NEURONS = 320 };

/* Its hidden neurons are HIDDEN_CROSSING. */
struct dense_network {
    struct network_params params;
    double *weight[NETWORK_LAYERS]; /* [neurons][afferents]; owned */
    double silence_cost;            /* see training.h, as of the following */
    double input_dropout, dropout;
    uint32_t seed;
};

/* Draws the weights from `random` by a normal distribution, a mean and a deviation for each layer.
 */
struct spread {
    double mean, deviation;
};
void dense_network_draw(struct dense_network *network, const struct spread *spreads,
                        struct random *random);
void dense_network_finish(struct dense_network *network);

/* The same network, of the core; network_destroy(). */
struct network *dense_network_model(const struct dense_network *network);

/* What a sample did. Losses have kinks where another step, gap or side of a threshold begins to
 * count: on either side of one, `pieces` differ. */
struct dense_trace {
    size_t count;                   /* neurons of all layers */
    uint64_t pieces[DENSE_NEURONS]; /* and of what their time depends on */
    uint64_t loss_piece;
    double min_slope;    /* of the spikes' */
    size_t silent, dead; /* hidden neurons; neurons that never rose above rest */
};
bool dense_same_trace(const struct dense_trace *a, const struct dense_trace *b);

/* The loss of one sample of spike times, by its number, in the first epoch. */
double dense_network_loss(const struct dense_network *network, const struct loss *loss,
                          size_t sample, const float *in_spikes, int32_t label,
                          struct dense_trace *ret_trace);

#endif
