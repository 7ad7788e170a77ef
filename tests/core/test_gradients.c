/* The gradient of a whole network's loss by every weight of every layer, against differences of the
 * dense reference. The core's gradient is what a single step of plain descent takes away. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "core/training.h"
#include "tests/support/dense.h"
#include "tests/support/dense_network.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

enum { IN = 12, T = 30, SAMPLES = 2, ATTEMPTS = 2000 };

static const struct loss losses[] = {
    {.type = LOSS_MSE, .v_threshold = 1},
    {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f},
    {.type = LOSS_TEMPOTRON, .v_threshold = 1},
};
enum { LOSSES = sizeof losses / sizeof *losses };

/* What is compared: every combination with every loss. */
struct shape {
    enum tempotron_clock clock;
    size_t hidden_count, hidden[2];
    size_t classes, neurons_per_class;
};

static const struct shape shapes[] = {
    {CLOCK_GRID, 1, {10}, 3, 1},         {CLOCK_GRID, 1, {10}, 3, 3},
    {CLOCK_GRID, 2, {9, 7}, 3, 1},       {CLOCK_GRID, 2, {9, 7}, 2, 3},
    {CLOCK_CONTINUOUS, 1, {10}, 3, 1},   {CLOCK_CONTINUOUS, 1, {10}, 3, 3},
    {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}, {CLOCK_CONTINUOUS, 2, {9, 7}, 2, 3},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* A network and its samples. */
struct problem {
    struct dense_network network;
    const struct loss *loss;
    double max_grad_norm;   /* of the core's step */
    bool synapse_is_slower; /* than the membrane */
    float in_spikes[SAMPLES * IN];
    int32_t label[SAMPLES];
    struct dense_course course[SAMPLES];
};

static double problem_loss(struct problem *problem, struct dense_course course[SAMPLES])
{
    double sum = 0;
    for (size_t b = 0; b < SAMPLES; b++)
        sum += dense_network_loss(&problem->network, problem->loss, b, problem->in_spikes + b * IN,
                                  problem->label[b], &course[b]);
    return sum / SAMPLES;
}

static bool same_courses(const struct dense_course a[SAMPLES], const struct dense_course b[SAMPLES])
{
    for (size_t i = 0; i < SAMPLES; i++)
        if (!dense_same_course(&a[i], &b[i]))
            return false;
    return true;
}

static void draw(struct problem *problem, const struct shape *shape, struct random *random)
{
    static const struct spread spreads[] = {{0.45, 0.5}, {0.35, 0.6}, {0.25, 0.6}};
    struct spread of_layers[3] = {spreads[0], spreads[1], spreads[2]};
    struct network_params *params = &problem->network.params;
    *params = (struct network_params){
        .tempotron = {shape->clock, IN, shape->classes * shape->neurons_per_class, T,
                      problem->synapse_is_slower ? 2.5 : 8, problem->synapse_is_slower ? 8 : 2.5,
                      1},
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
    for (size_t i = 0; i < SAMPLES * IN; i++)
        problem->in_spikes[i] = random_uniform(random) * 22 - 2; /* some are silent */
    for (size_t b = 0; b < SAMPLES; b++)
        problem->label[b] = (int32_t)(random_bits(random) % shape->classes);
}

/* Steep enough for differences, no neuron dead, and something to learn; and where silence
 * has its cost, someone silent. */
static bool is_fit(struct problem *problem)
{
    const double loss = problem_loss(problem, problem->course);
    size_t silent = 0;
    for (size_t b = 0; b < SAMPLES; b++) {
        silent += problem->course[b].silent;
        if (problem->course[b].least_slope < 0.03 || problem->course[b].dead > 0)
            return false;
    }
    return problem->network.silence_cost > 0 ? silent >= 2 : loss > 1e-3;
}

static void draw_fit(struct problem *problem, const struct shape *shape, struct random *random)
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        draw(problem, shape, random);
        if (is_fit(problem))
            return;
        dense_network_finish(&problem->network);
    }
    ck_abort_msg("no problem is fit");
}

/* --- the core's gradient --- */

static size_t weight_count(const struct problem *problem, size_t layer)
{
    const struct network_params *params = &problem->network.params;
    return network_afferents(params, layer) * network_neurons(params, layer);
}

/* What a training takes away from the weights of each layer; free(). */
static void core_steps(const struct problem *problem, const struct training_params *params,
                       float **ret_steps)
{
    struct network *model = dense_network_model(&problem->network);
    const struct samples set =
        view_values(SAMPLES_SPIKE_TIMES, SAMPLES, IN, problem->in_spikes, problem->label);
    ck_assert_int_eq(network_train(model, &set, NULL, NULL, params, NULL, NULL), CORE_OK);
    for (size_t l = 0; l < model->depth; l++) {
        ret_steps[l] = malloc(weight_count(problem, l) * sizeof(float));
        layer_weight(&model->layers[l], ret_steps[l]);
        for (size_t i = 0; i < weight_count(problem, l); i++)
            ret_steps[l][i] = (float)problem->network.weight[l][i] - ret_steps[l][i];
    }
    network_destroy(model);
}

/* One step of plain descent at rate 1. */
static struct training_params single_step(const struct problem *problem)
{
    return (struct training_params){
        .loop = {.epochs = 1,
                 .batch_size = SAMPLES,
                 .schedule = {.learning_rate = 1},
                 .seed = problem->network.seed},
        .loss = *problem->loss,
        .silence_cost = problem->network.silence_cost,
        .input_dropout = problem->network.input_dropout,
        .dropout = problem->network.dropout,
        .max_grad_norm = problem->max_grad_norm,
    };
}

/* Of each layer; free(). */
static void core_gradient(const struct problem *problem, float **ret_gradient)
{
    const struct training_params params = single_step(problem);
    core_steps(problem, &params, ret_gradient);
}

/* --- differences --- */

/* Moves a layer's weights by `step` along a direction and tells the loss. */
static double moved_loss(struct problem *problem, size_t layer, const double *direction,
                         double step, struct dense_course course[SAMPLES])
{
    double *weight = problem->network.weight[layer];
    const size_t count = weight_count(problem, layer);
    double *kept = malloc(count * sizeof *kept);
    for (size_t i = 0; i < count; i++) {
        kept[i] = weight[i];
        weight[i] += step * direction[i];
    }
    const double loss = problem_loss(problem, course);
    for (size_t i = 0; i < count; i++)
        weight[i] = kept[i];
    free(kept);
    return loss;
}

/* The loss's derivative along a direction. False: there is a kink nearby. */
static bool difference(struct problem *problem, size_t layer, const double *direction, double step,
                       double *ret_derivative)
{
    struct dense_course low[SAMPLES], high[SAMPLES];
    const double below = moved_loss(problem, layer, direction, -step, low);
    const double above = moved_loss(problem, layer, direction, step, high);
    *ret_derivative = (above - below) / (2 * step);
    return same_courses(low, problem->course) && same_courses(high, problem->course);
}

struct tally {
    size_t weights, compared;
    size_t moving; /* weights on which the loss does depend */
};

static void compare_layer(struct problem *problem, size_t layer, const float *gradient,
                          struct tally *tally)
{
    const size_t count = weight_count(problem, layer);
    double *direction = calloc(count, sizeof *direction), *expected = calloc(count, sizeof(double));
    bool *is_smooth = calloc(count, sizeof *is_smooth);
    double greatest = 0;
    tally->weights += count;
    for (size_t i = 0; i < count; i++) {
        direction[i] = 1;
        is_smooth[i] = difference(problem, layer, direction, 1e-5, &expected[i]);
        direction[i] = 0;
        if (is_smooth[i])
            greatest = fmax(greatest, fabs(expected[i]));
    }
    for (size_t i = 0; i < count; i++) {
        if (!is_smooth[i])
            continue;
        const double error = fabs((double)gradient[i] - expected[i]);
        ck_assert_msg(error <= 2e-5 * fabs(expected[i]) + 2e-5 * greatest + 1e-6,
                      "layer %zu, weight %zu: %g, not %g (greatest %g)", layer, i,
                      (double)gradient[i], expected[i], greatest);
        tally->compared++;
        tally->moving += fabs(expected[i]) > 1e-3 * greatest;
    }
    free(is_smooth);
    free(expected);
    free(direction);
}

/* Most weights are compared, and the loss depends on many of them. */
static void expect_many(const struct tally *tally)
{
    ck_assert_uint_ge(tally->compared, tally->weights * 9 / 10);
    ck_assert_uint_ge(tally->moving, tally->weights / 8);
}

static void compare_every_weight(const struct shape *shape, struct problem *problem,
                                 struct random *random, int repeats)
{
    struct tally tallies[3] = {0};
    for (int repeat = 0; repeat < repeats; repeat++) {
        float *gradient[3];
        draw_fit(problem, shape, random);
        core_gradient(problem, gradient);
        for (size_t l = 0; l <= shape->hidden_count; l++) {
            compare_layer(problem, l, gradient[l], &tallies[l]);
            free(gradient[l]);
        }
        dense_network_finish(&problem->network);
    }
    for (size_t l = 0; l <= shape->hidden_count; l++)
        expect_many(&tallies[l]);
}

START_TEST(every_weight_agrees_with_finite_differences)
{
    struct problem problem = {.loss = &losses[_i % LOSSES]};
    struct random random;
    random_init(&random, 100 + (uint32_t)_i);
    compare_every_weight(&shapes[_i / LOSSES], &problem, &random, 4);
}
END_TEST

START_TEST(so_they_do_with_synapses_slower_than_the_membrane)
{
    static const struct shape with_two[] = {{CLOCK_GRID, 2, {9, 7}, 3, 1},
                                            {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}};
    struct problem problem = {.loss = &losses[1], .synapse_is_slower = true};
    struct random random;
    random_init(&random, 27 + (uint32_t)_i);
    compare_every_weight(&with_two[_i], &problem, &random, 4);
}
END_TEST

/* A silent neuron's own term draws it, and the neurons before it, towards its threshold. */
START_TEST(so_does_what_silence_costs)
{
    static const struct shape with_two[] = {{CLOCK_GRID, 2, {9, 7}, 3, 1},
                                            {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}};
    struct problem problem = {.network = {.silence_cost = 0.3}, .loss = &losses[1]};
    struct random random;
    random_init(&random, 7 + (uint32_t)_i);
    compare_every_weight(&with_two[_i], &problem, &random, 4);
}
END_TEST

/* What is left counts for more, forward and backward; a spike that is left out is no silence. */
START_TEST(so_does_what_dropout_leaves)
{
    static const struct shape with_two[] = {{CLOCK_GRID, 2, {9, 7}, 3, 1},
                                            {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}};
    struct problem problem = {
        .network = {.silence_cost = 0.3, .input_dropout = 0.2, .dropout = 0.3, .seed = 5},
        .loss = &losses[1]};
    struct random random;
    random_init(&random, 17 + (uint32_t)_i);
    compare_every_weight(&with_two[_i], &problem, &random, 4);
}
END_TEST

/* --- wide layers, along random directions --- */

static double product(const double *direction, const float *gradient, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += direction[i] * (double)gradient[i];
    return sum;
}

/* Along a few directions of a layer; returns how many had no kink nearby. */
static size_t compare_directions(struct problem *problem, size_t layer, const float *gradient,
                                 struct random *random)
{
    const size_t count = weight_count(problem, layer);
    double *direction = calloc(count, sizeof *direction);
    size_t compared = 0;
    for (int repeat = 0; repeat < 4; repeat++) {
        double expected;
        for (size_t i = 0; i < count; i++)
            direction[i] = 2 * (double)random_uniform(random) - 1;
        if (!difference(problem, layer, direction, 1e-6, &expected))
            continue;
        const double actual = product(direction, gradient, count);
        double length = 0;
        for (size_t i = 0; i < count; i++)
            length += (double)gradient[i] * (double)gradient[i];
        ck_assert_msg(fabs(actual - expected) <= 1e-4 * sqrt(length) + 1e-5,
                      "layer %zu: %g, not %g (of %g)", layer, actual, expected, sqrt(length));
        compared++;
    }
    free(direction);
    return compared;
}

/* Around the borders of blocks and vectors; the outputs of the last have two blocks too. */
static const struct shape wide_shapes[] = {
    {CLOCK_GRID, 1, {1}, 3, 1},           {CLOCK_GRID, 1, {8}, 3, 1},
    {CLOCK_GRID, 1, {31}, 3, 1},          {CLOCK_GRID, 1, {32}, 3, 1},
    {CLOCK_GRID, 1, {33}, 3, 1},          {CLOCK_GRID, 1, {70}, 3, 1},
    {CLOCK_GRID, 2, {9, 33}, 3, 1},       {CLOCK_GRID, 2, {33, 9}, 3, 12},
    {CLOCK_CONTINUOUS, 1, {1}, 3, 1},     {CLOCK_CONTINUOUS, 1, {8}, 3, 1},
    {CLOCK_CONTINUOUS, 1, {31}, 3, 1},    {CLOCK_CONTINUOUS, 1, {32}, 3, 1},
    {CLOCK_CONTINUOUS, 1, {33}, 3, 1},    {CLOCK_CONTINUOUS, 1, {70}, 3, 1},
    {CLOCK_CONTINUOUS, 2, {9, 33}, 3, 1}, {CLOCK_CONTINUOUS, 2, {33, 9}, 3, 12},
};
enum { WIDE_SHAPES = sizeof wide_shapes / sizeof *wide_shapes };

START_TEST(wide_layers_agree_along_random_directions)
{
    const struct shape *shape = &wide_shapes[_i];
    struct problem problem = {.loss = &losses[1]};
    struct random random;
    size_t compared[3] = {0};
    random_init(&random, 300 + (uint32_t)_i);
    for (int repeat = 0; repeat < 5; repeat++) {
        float *gradient[3];
        draw_fit(&problem, shape, &random);
        core_gradient(&problem, gradient);
        for (size_t l = 0; l <= shape->hidden_count; l++) {
            compared[l] += compare_directions(&problem, l, gradient[l], &random);
            free(gradient[l]);
        }
        dense_network_finish(&problem.network);
    }
    for (size_t l = 0; l <= shape->hidden_count; l++)
        ck_assert_uint_ge(compared[l], 12);
}
END_TEST

/* --- the step --- */

static double gradient_length(const struct problem *problem, float *const *gradient)
{
    double sum = 0;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < weight_count(problem, l); i++)
            sum += (double)gradient[l][i] * (double)gradient[l][i];
    return sqrt(sum);
}

/* Over all layers together, to that length and in its own direction; others stay as they are. */
START_TEST(long_gradients_are_shortened)
{
    const struct shape shape = {CLOCK_GRID, 2, {70, 40}, 3, 1};
    struct problem problem = {.loss = &losses[1]};
    struct random random;
    float *whole[3], *half[3], *same[3];
    random_init(&random, 2);
    draw_fit(&problem, &shape, &random);
    core_gradient(&problem, whole);
    const double length = gradient_length(&problem, whole);
    problem.max_grad_norm = length / 2;
    core_gradient(&problem, half);
    problem.max_grad_norm = length * 1.001;
    core_gradient(&problem, same);
    ck_assert_double_eq_tol(gradient_length(&problem, half), length / 2, 1e-5 * length);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < weight_count(&problem, l); i++) {
            ck_assert_float_eq_tol(half[l][i], whole[l][i] / 2, 1e-6f * (float)length);
            ck_assert_float_eq(same[l][i], whole[l][i]);
        }
        free(whole[l]);
        free(half[l]);
        free(same[l]);
    }
    dense_network_finish(&problem.network);
}
END_TEST

/* The same spikes wherever in a batch the sample is: of two samples the first is silent, so that
 * the other's gradient is all there is. */
START_TEST(dropout_follows_the_sample_not_its_place)
{
    const struct shape shape = {CLOCK_GRID, 2, {9, 7}, 3, 1};
    struct problem problem = {.network = {.input_dropout = 0.3, .dropout = 0.3},
                              .loss = &losses[2]};
    struct random random;
    float *together[3], *apart[3];
    double sum = 0;
    random_init(&random, 6);
    draw_fit(&problem, &shape, &random);
    for (size_t i = 0; i < IN; i++)
        problem.in_spikes[i] = -1;
    struct training_params params = single_step(&problem);
    core_steps(&problem, &params, together);
    params.loop.batch_size = 1;
    core_steps(&problem, &params, apart);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < weight_count(&problem, l); i++) {
            ck_assert_float_eq_tol(2 * together[l][i], apart[l][i], 1e-5f);
            sum += fabs((double)apart[l][i]);
        }
        free(together[l]);
        free(apart[l]);
    }
    ck_assert_double_gt(sum, 0.1);
    dense_network_finish(&problem.network);
}
END_TEST

/* How far the second of two short steps is from the first, as a part of it. */
static double change_of_step(const struct problem *problem)
{
    struct training_params params = single_step(problem);
    float *one[3], *two[3];
    double change = 0, length = 0;
    params.loop.schedule.learning_rate = 1e-4;
    core_steps(problem, &params, one);
    params.loop.epochs = 2;
    core_steps(problem, &params, two);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < weight_count(problem, l); i++) {
            const double more = (double)two[l][i] - 2 * (double)one[l][i];
            change += more * more;
            length += (double)one[l][i] * (double)one[l][i];
        }
        free(one[l]);
        free(two[l]);
    }
    return sqrt(change / length);
}

START_TEST(dropout_is_another_in_every_epoch)
{
    const struct shape shape = {CLOCK_GRID, 2, {9, 7}, 3, 1};
    struct problem problem = {.loss = &losses[1]};
    struct random random;
    random_init(&random, 6);
    draw_fit(&problem, &shape, &random);
    ck_assert_double_lt(change_of_step(&problem), 0.1);
    problem.network.dropout = 0.3;
    ck_assert_double_gt(change_of_step(&problem), 0.3);
    problem.network.dropout = 0;
    problem.network.input_dropout = 0.3;
    ck_assert_double_gt(change_of_step(&problem), 0.3);
    dense_network_finish(&problem.network);
}
END_TEST

/* A sample from which nothing is to be learnt takes nothing from the others, before or behind it.
 */
START_TEST(a_sample_without_error_hides_no_other)
{
    const struct shape shape = {CLOCK_GRID, 2, {9, 7}, 3, 1};
    struct problem problem = {.loss = &losses[2]};
    struct random random;
    float *before[3], *behind[3];
    double sum = 0;
    random_init(&random, 6);
    draw_fit(&problem, &shape, &random);
    problem.network.params.hidden_spike = _i == 0 ? HIDDEN_CROSSING : HIDDEN_PEAK;
    for (size_t i = 0; i < IN; i++) {
        problem.in_spikes[i] = -1;
        problem.in_spikes[IN + i] = rintf(problem.in_spikes[IN + i]);
    }
    problem.label[0] = -1; /* rightly, nothing fires */
    core_gradient(&problem, behind);
    problem.label[0] = problem.label[1];
    problem.label[1] = -1;
    for (size_t i = 0; i < IN; i++) {
        problem.in_spikes[i] = problem.in_spikes[IN + i];
        problem.in_spikes[IN + i] = -1;
    }
    core_gradient(&problem, before);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < weight_count(&problem, l); i++) {
            ck_assert_float_eq(before[l][i], behind[l][i]);
            sum += l == 0 ? fabs((double)before[l][i]) : 0;
        }
        free(before[l]);
        free(behind[l]);
    }
    ck_assert_double_gt(sum, 0.01);
    dense_network_finish(&problem.network);
}
END_TEST

/* --- by hand: two afferents, a hidden neuron, an output --- */

struct chain {
    struct tempotron_params tempotron;
    enum hidden_spike hidden_spike;
    float weight[2], in_spikes[2], out_weight;
    double silence_cost;
    double slope_floor;
};

/* What a step of plain descent at rate 1 adds to the hidden neuron's weights. */
static void step_chain(const struct chain *chain, float ret_step[2])
{
    const float *const weight[] = {chain->weight, &chain->out_weight};
    const struct network_params shape = {
        .tempotron = chain->tempotron,
        .hidden_count = 1,
        .hidden = {1},
        .hidden_spike = chain->hidden_spike,
        .read_out.v_max = {1, 1},
    };
    const struct training_params params = {
        .loop = {.epochs = 1, .batch_size = 1, .schedule = {.learning_rate = 1}},
        .loss = {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f},
        .silence_cost = chain->silence_cost,
        .slope_floor = chain->slope_floor,
    };
    const int32_t label = 0;
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, 2, chain->in_spikes, &label);
    struct network *network;
    ck_assert_int_eq(network_create(&shape, weight, &network), CORE_OK);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, &params, NULL, NULL), CORE_OK);
    layer_weight(&network->layers[0], ret_step);
    for (size_t i = 0; i < 2; i++)
        ret_step[i] -= chain->weight[i];
    network_destroy(network);
}

/* A spike comes the later, by 1/slope, the lower the voltage is, but by no more than the slope's
 * floor allows. The output is read at the window's end, while it rises. */
START_TEST(a_slope_is_bounded)
{
    static const double slope_floors[] = {3.75, 0};
    const enum tempotron_clock clock = _i < 2 ? CLOCK_GRID : CLOCK_CONTINUOUS;
    const struct chain chain = {
        .tempotron = {clock, 2, 1, 60, 150, 37.5, 1},
        .weight = {1.25f, 0},
        .in_spikes = {3, -1},
        .out_weight = 0.7f,
        .slope_floor = slope_floors[_i % 2],
    };
    const struct dense_kernel kernel = {150, 37.5, 1};
    const struct dense_spikes in = {1, &(const double){1.25}, &(const double){3}};
    double slope;
    float step[2];
    const double time = _i < 2 ? dense_grid_crossing(&kernel, &in, 60, &slope)
                               : dense_gaps_crossing(&kernel, &in, 60, &slope);
    ck_assert_double_gt(time, 0);
    ck_assert_double_lt(slope, 0.05);
    const double end = _i < 2 ? 59 : 60, h = 1e-4;
    const struct dense_spikes out = {1, &(const double){(double)0.7f}, &time};
    const double rise =
        (dense_voltage(&kernel, &out, end + h) - dense_voltage(&kernel, &out, end - h)) / (2 * h);
    const double by_time = 2 * (1.5 - dense_voltage(&kernel, &out, end)) * rise;
    step_chain(&chain, step);
    const double followed = fmax(slope, slope_floors[_i % 2] / 37.5);
    ck_assert_double_eq_tol((double)step[0], by_time / followed / 1.25, 2e-5 / followed);
    ck_assert_float_eq(step[1], 0);
}
END_TEST

/* From its maximum, or, if it never rose above rest, from where its last spike's potential peaks.
 */
START_TEST(silence_draws_a_neuron_towards_its_threshold)
{
    static const struct {
        size_t T;
        float weight;
        double at[2]; /* on the grid, in continuous time; -1: its peak */
    } rows[] = {{50, -0.5f, {17, 16.931472}}, {14, -0.5f, {13, 14}}, {50, 0.1f, {15, -1}}};
    const enum tempotron_clock clock = _i == 1 ? CLOCK_CONTINUOUS : CLOCK_GRID;
    for (size_t i = 0; i < 3; i++) {
        const struct chain chain = {
            .hidden_spike = _i == 2 ? HIDDEN_PEAK : HIDDEN_CROSSING,
            .tempotron = {clock, 2, 1, rows[i].T, 15, 3.75, 1},
            .weight = {rows[i].weight, rows[i].weight},
            .in_spikes = {3, 10},
            .out_weight = 1,
            .silence_cost = 0.25,
        };
        const struct dense_spikes spikes = {2, (const double[]){0.1, 0.1}, (const double[]){3, 10}};
        double at = rows[i].at[_i % 2];
        struct psp psp;
        float step[2];
        psp_init(&psp, 15, 3.75, 1);
        if (at < 0)
            dense_gaps_max(&(const struct dense_kernel){15, 3.75, 1}, &spikes, 50, &at);
        step_chain(&chain, step);
        for (size_t j = 0; j < 2; j++)
            ck_assert_double_eq_tol((double)step[j],
                                    0.25 * psp_value(&psp, at - (double)chain.in_spikes[j]), 1e-6);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("gradients");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, every_weight_agrees_with_finite_differences, 0, SHAPES * LOSSES);
    tcase_add_loop_test(tests, so_they_do_with_synapses_slower_than_the_membrane, 0, 2);
    tcase_add_loop_test(tests, so_does_what_silence_costs, 0, 2);
    tcase_add_loop_test(tests, so_does_what_dropout_leaves, 0, 2);
    tcase_add_test(tests, long_gradients_are_shortened);
    tcase_add_loop_test(tests, a_sample_without_error_hides_no_other, 0, 2);
    tcase_add_test(tests, dropout_follows_the_sample_not_its_place);
    tcase_add_test(tests, dropout_is_another_in_every_epoch);
    tcase_add_loop_test(tests, a_slope_is_bounded, 0, 4);
    tcase_add_loop_test(tests, silence_draws_a_neuron_towards_its_threshold, 0, 3);
    tcase_add_loop_test(tests, wide_layers_agree_along_random_directions, 0, WIDE_SHAPES);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
