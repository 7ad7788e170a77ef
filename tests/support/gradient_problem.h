/* gradient_problem.h - a network, a few samples, and the gradient of their loss: the core's, which
 * is what a single step of plain descent takes away, and the loss by its definition. */
#ifndef TESTS_SUPPORT_GRADIENT_PROBLEM_H
#define TESTS_SUPPORT_GRADIENT_PROBLEM_H

#include "core/random.h"
#include "core/training.h"
#include "tests/support/dense_network.h"

enum { PROBLEM_AFFERENTS = 12, PROBLEM_STEPS = 30, PROBLEM_SAMPLES = 2 };

enum { GRADIENT_LOSSES = 4 };
extern const struct loss gradient_losses[GRADIENT_LOSSES];

/* The shape of a network. */
struct gradient_shape {
    enum tempotron_clock clock;
    size_t hidden_count, hidden[2];
    size_t classes, neurons_per_class;
};

/* A network and its samples. */
struct gradient_problem {
    struct dense_network network;
    const struct loss *loss;
    double max_grad_norm;   /* of the core's step */
    bool synapse_is_slower; /* than the membrane */
    float in_spikes[PROBLEM_SAMPLES * PROBLEM_AFFERENTS];
    int32_t label[PROBLEM_SAMPLES];
    struct dense_trace trace[PROBLEM_SAMPLES];
};

/* The loss by its definition, and what each sample did. */
double gradient_problem_loss(struct gradient_problem *problem,
                             struct dense_trace trace[PROBLEM_SAMPLES]);

/* Whether no kink of the loss lies between two courses. */
bool gradient_problem_same_courses(const struct dense_trace a[PROBLEM_SAMPLES],
                                   const struct dense_trace b[PROBLEM_SAMPLES]);

/* Draws weights and samples that are fit: spikes steep enough for differences, no neuron dead, an
 * error to learn from, and a silent neuron if silence has a cost. */
void gradient_problem_draw_fit(struct gradient_problem *problem, const struct gradient_shape *shape,
                               struct random *random);

size_t gradient_problem_weight_count(const struct gradient_problem *problem, size_t layer);

/* What training subtracts from the weights of each layer; free() each. */
void gradient_problem_steps(const struct gradient_problem *problem,
                            const struct training_params *params, float **ret_steps);

/* The parameters of one step of plain descent at rate 1. */
struct training_params gradient_problem_step(const struct gradient_problem *problem);

/* The core's gradient by the weights of each layer; free() each. */
void gradient_problem_gradient(const struct gradient_problem *problem, float **ret_gradient);

#endif
