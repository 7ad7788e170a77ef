/* The gradient of a whole network's loss by every weight of every layer, against differences of the
 * dense reference. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "tests/support/dense_network.h"
#include "tests/support/gradient_problem.h"
#include "tests/support/suite.h"

static const struct gradient_shape shapes[] = {
    {CLOCK_GRID, 1, {10}, 3, 1},         {CLOCK_GRID, 1, {10}, 3, 3},
    {CLOCK_GRID, 2, {9, 7}, 3, 1},       {CLOCK_GRID, 2, {9, 7}, 2, 3},
    {CLOCK_CONTINUOUS, 1, {10}, 3, 1},   {CLOCK_CONTINUOUS, 1, {10}, 3, 3},
    {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}, {CLOCK_CONTINUOUS, 2, {9, 7}, 2, 3},
};

enum { SHAPES = sizeof shapes / sizeof *shapes };

/* --- differences --- */

/* Moves a layer's weights by `step` along a direction and tells the loss. */
static double moved_loss(struct gradient_problem *problem, size_t layer, const double *direction,
                         double step, struct dense_trace trace[PROBLEM_SAMPLES])
{
    double *weight = problem->network.weight[layer];
    const size_t count = gradient_problem_weight_count(problem, layer);
    double *kept = malloc(count * sizeof *kept);
    for (size_t i = 0; i < count; i++) {
        kept[i] = weight[i];
        weight[i] += step * direction[i];
    }
    const double loss = gradient_problem_loss(problem, trace);
    for (size_t i = 0; i < count; i++)
        weight[i] = kept[i];
    free(kept);
    return loss;
}

/* The loss's derivative along a direction. False: there is a kink nearby. */
static bool difference(struct gradient_problem *problem, size_t layer, const double *direction,
                       double step, double *ret_derivative)
{
    struct dense_trace low[PROBLEM_SAMPLES], high[PROBLEM_SAMPLES];
    const double below = moved_loss(problem, layer, direction, -step, low);
    const double above = moved_loss(problem, layer, direction, step, high);
    *ret_derivative = (above - below) / (2 * step);
    return gradient_problem_same_courses(low, problem->trace) &&
           gradient_problem_same_courses(high, problem->trace);
}

struct tally {
    size_t weights, compared;
    size_t moving; /* weights on which the loss does depend */
};

static void compare_layer(struct gradient_problem *problem, size_t layer, const float *gradient,
                          struct tally *tally)
{
    const size_t count = gradient_problem_weight_count(problem, layer);
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

static void compare_every_weight(const struct gradient_shape *shape,
                                 struct gradient_problem *problem, struct random *random,
                                 int repeats)
{
    struct tally tallies[3] = {0};
    for (int repeat = 0; repeat < repeats; repeat++) {
        float *gradient[3];
        gradient_problem_draw_fit(problem, shape, random);
        gradient_problem_gradient(problem, gradient);
        for (size_t l = 0; l <= shape->hidden_count; l++) {
            compare_layer(problem, l, gradient[l], &tallies[l]);
            free(gradient[l]);
        }
        dense_network_finish(&problem->network);
    }
    for (size_t l = 0; l <= shape->hidden_count; l++)
        expect_many(&tallies[l]);
}

START_TEST(the_gradient_of_every_weight_agrees_with_finite_differences)
{
    struct gradient_problem problem = {.loss = &gradient_losses[_i % GRADIENT_LOSSES]};
    struct random random;
    random_init(&random, 100 + (uint32_t)_i);
    compare_every_weight(&shapes[_i / GRADIENT_LOSSES], &problem, &random, 4);
}
END_TEST

START_TEST(gradients_with_slow_synapses_agree_with_finite_differences)
{
    static const struct gradient_shape with_two[] = {{CLOCK_GRID, 2, {9, 7}, 3, 1},
                                                     {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}};
    struct gradient_problem problem = {.loss = &gradient_losses[1], .synapse_is_slower = true};
    struct random random;
    random_init(&random, 27 + (uint32_t)_i);
    compare_every_weight(&with_two[_i], &problem, &random, 4);
}
END_TEST

/* A silent neuron's own term draws it, and the neurons before it, towards its threshold. */
START_TEST(gradients_of_the_cost_of_silence_agree_with_finite_differences)
{
    static const struct gradient_shape with_two[] = {{CLOCK_GRID, 2, {9, 7}, 3, 1},
                                                     {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}};
    struct gradient_problem problem = {.network = {.silence_cost = 0.3},
                                       .loss = &gradient_losses[1]};
    struct random random;
    random_init(&random, 7 + (uint32_t)_i);
    compare_every_weight(&with_two[_i], &problem, &random, 4);
}
END_TEST

/* What is left counts for more, forward and backward; a spike that is left out is no silence. */
START_TEST(gradients_with_dropout_agree_with_finite_differences)
{
    static const struct gradient_shape with_two[] = {{CLOCK_GRID, 2, {9, 7}, 3, 1},
                                                     {CLOCK_CONTINUOUS, 2, {9, 7}, 3, 1}};
    struct gradient_problem problem = {
        .network = {.silence_cost = 0.3, .input_dropout = 0.2, .dropout = 0.3, .seed = 5},
        .loss = &gradient_losses[1]};
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
static size_t compare_directions(struct gradient_problem *problem, size_t layer,
                                 const float *gradient, struct random *random)
{
    const size_t count = gradient_problem_weight_count(problem, layer);
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
static const struct gradient_shape wide_shapes[] = {
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
    const struct gradient_shape *shape = &wide_shapes[_i];
    struct gradient_problem problem = {.loss = &gradient_losses[1]};
    struct random random;
    size_t compared[3] = {0};
    random_init(&random, 300 + (uint32_t)_i);
    for (int repeat = 0; repeat < 5; repeat++) {
        float *gradient[3];
        gradient_problem_draw_fit(&problem, shape, &random);
        gradient_problem_gradient(&problem, gradient);
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

int main(void)
{
    Suite *suite = suite_create("gradients");
    TCase *tests = tcase_create("gradients");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, the_gradient_of_every_weight_agrees_with_finite_differences, 0,
                        SHAPES * GRADIENT_LOSSES);
    tcase_add_loop_test(tests, gradients_with_slow_synapses_agree_with_finite_differences, 0, 2);
    tcase_add_loop_test(tests, gradients_of_the_cost_of_silence_agree_with_finite_differences, 0,
                        2);
    tcase_add_loop_test(tests, gradients_with_dropout_agree_with_finite_differences, 0, 2);
    tcase_add_loop_test(tests, wide_layers_agree_along_random_directions, 0, WIDE_SHAPES);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
