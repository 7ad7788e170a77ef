#include "tests/support/gradient_problem.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/team_threads.h"
#include "tests/support/views.h"

enum { ATTEMPTS = 2000 };

const struct loss gradient_losses[GRADIENT_LOSSES] = {
    {.type = LOSS_MSE, .v_threshold = 1},
    {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f},
    {.type = LOSS_TEMPOTRON, .v_threshold = 1},
};

double gradient_problem_loss(struct gradient_problem *problem,
                             struct dense_trace trace[PROBLEM_SAMPLES])
{
    double sum = 0;
    for (size_t b = 0; b < PROBLEM_SAMPLES; b++)
        sum += dense_network_loss(&problem->network, problem->loss, b,
                                  problem->in_spikes + b * PROBLEM_AFFERENTS, problem->label[b],
                                  &trace[b]);
    return sum / PROBLEM_SAMPLES;
}

bool gradient_problem_same_courses(const struct dense_trace a[PROBLEM_SAMPLES],
                                   const struct dense_trace b[PROBLEM_SAMPLES])
{
    for (size_t i = 0; i < PROBLEM_SAMPLES; i++)
        if (!dense_same_trace(&a[i], &b[i]))
            return false;
    return true;
}

static void draw(struct gradient_problem *problem, const struct gradient_shape *shape,
                 struct random *random)
{
    static const struct spread spreads[] = {{0.45, 0.5}, {0.35, 0.6}, {0.25, 0.6}};
    struct spread of_layers[3] = {spreads[0], spreads[1], spreads[2]};
    struct network_params *params = &problem->network.params;
    *params = (struct network_params){
        .tempotron = {shape->clock, PROBLEM_AFFERENTS, shape->classes * shape->neurons_per_class,
                      PROBLEM_STEPS, problem->synapse_is_slower ? 2.5 : 8,
                      problem->synapse_is_slower ? 8 : 2.5, 1},
        .hidden_count = shape->hidden_count,
        .hidden = {shape->hidden[0], shape->hidden[1]},
        .read_out.v_max = {shape->neurons_per_class, 4},
    };
    of_layers[shape->hidden_count] = spreads[2];
    for (size_t l = 1; l <= shape->hidden_count; l++) { /* of wide layers less from each neuron */
        const double share = fmin(1, 12 / (double)shape->hidden[l - 1]);
        of_layers[l].mean *= share;
        of_layers[l].deviation *= sqrt(share);
    }
    dense_network_draw(&problem->network, of_layers, random);
    for (size_t i = 0; i < PROBLEM_SAMPLES * PROBLEM_AFFERENTS; i++)
        problem->in_spikes[i] = random_uniform(random) * 22 - 2; /* some are silent */
    for (size_t b = 0; b < PROBLEM_SAMPLES; b++)
        problem->label[b] = (int32_t)(random_bits(random) % shape->classes);
}

static bool is_fit(struct gradient_problem *problem)
{
    const double loss = gradient_problem_loss(problem, problem->trace);
    size_t silent = 0;
    for (size_t b = 0; b < PROBLEM_SAMPLES; b++) {
        silent += problem->trace[b].silent;
        if (problem->trace[b].min_slope < 0.03 || problem->trace[b].dead > 0)
            return false;
    }
    return problem->network.silence_cost > 0 ? silent >= 2 : loss > 1e-3;
}

void gradient_problem_draw_fit(struct gradient_problem *problem, const struct gradient_shape *shape,
                               struct random *random)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        draw(problem, shape, random);
        if (is_fit(problem))
            return;
        dense_network_finish(&problem->network);
    }
    ck_abort_msg("no problem is fit");
}

size_t gradient_problem_weight_count(const struct gradient_problem *problem, size_t layer)
{
    const struct network_params *params = &problem->network.params;
    return network_afferents(params, layer) * network_neurons(params, layer);
}

void gradient_problem_steps(const struct gradient_problem *problem,
                            const struct training_params *params, float **ret_steps)
{
    struct network *model = dense_network_model(&problem->network);
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, PROBLEM_SAMPLES, PROBLEM_AFFERENTS,
                                           problem->in_spikes, problem->label);
    ck_assert_int_eq(network_train(model, &set, NULL, NULL, params, NULL, NULL), CORE_OK);
    for (size_t l = 0; l < model->depth; l++) {
        ret_steps[l] = malloc(gradient_problem_weight_count(problem, l) * sizeof(float));
        layer_weight(&model->layers[l], ret_steps[l]);
        for (size_t i = 0; i < gradient_problem_weight_count(problem, l); i++)
            ret_steps[l][i] = (float)problem->network.weight[l][i] - ret_steps[l][i];
    }
    network_destroy(model);
}

struct training_params gradient_problem_step(const struct gradient_problem *problem)
{
    return (struct training_params){
        .loop = {.epochs = 1,
                 .batch_size = PROBLEM_SAMPLES,
                 .schedule = {.learning_rate = 1},
                 .seed = problem->network.seed},
        .loss = *problem->loss,
        .silence_cost = problem->network.silence_cost,
        .input_dropout = problem->network.input_dropout,
        .dropout = problem->network.dropout,
        .max_grad_norm = problem->max_grad_norm,
    };
}

void gradient_problem_gradient(const struct gradient_problem *problem, float **ret_gradient)
{
    const struct training_params params = gradient_problem_step(problem);
    gradient_problem_steps(problem, &params, ret_gradient);
}
