/* What a step changes of a network: bounds of gradients and slopes, dropout, and the cost of
 * silence. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/random.h"
#include "core/training.h"
#include "tests/support/dense.h"
#include "tests/support/dense_network.h"
#include "tests/support/gradient_problem.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

/* --- the step --- */

static double gradient_length(const struct gradient_problem *problem, float *const *gradient)
{
    double sum = 0;
    for (size_t l = 0; l < 3; l++)
        for (size_t i = 0; i < gradient_problem_weight_count(problem, l); i++)
            sum += (double)gradient[l][i] * (double)gradient[l][i];
    return sqrt(sum);
}

/* Over all layers together, to that length and in its own direction; others stay as they are. */
START_TEST(long_gradients_are_shortened)
{
    const struct gradient_shape shape = {CLOCK_GRID, 2, {70, 40}, 3, 1};
    struct gradient_problem problem = {.loss = &gradient_losses[1]};
    struct random random;
    float *whole[3], *half[3], *same[3];
    random_init(&random, 2);
    gradient_problem_draw_fit(&problem, &shape, &random);
    gradient_problem_gradient(&problem, whole);
    const double length = gradient_length(&problem, whole);
    problem.max_grad_norm = length / 2;
    gradient_problem_gradient(&problem, half);
    problem.max_grad_norm = length * 1.001;
    gradient_problem_gradient(&problem, same);
    ck_assert_double_eq_tol(gradient_length(&problem, half), length / 2, 1e-5 * length);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < gradient_problem_weight_count(&problem, l); i++) {
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
    const struct gradient_shape shape = {CLOCK_GRID, 2, {9, 7}, 3, 1};
    struct gradient_problem problem = {.network = {.input_dropout = 0.3, .dropout = 0.3},
                                       .loss = &gradient_losses[2]};
    struct random random;
    float *together[3], *apart[3];
    double sum = 0;
    random_init(&random, 6);
    gradient_problem_draw_fit(&problem, &shape, &random);
    for (size_t i = 0; i < PROBLEM_AFFERENTS; i++)
        problem.in_spikes[i] = -1;
    struct training_params params = gradient_problem_step(&problem);
    gradient_problem_steps(&problem, &params, together);
    params.loop.batch_size = 1;
    gradient_problem_steps(&problem, &params, apart);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < gradient_problem_weight_count(&problem, l); i++) {
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
static double change_of_step(const struct gradient_problem *problem)
{
    struct training_params params = gradient_problem_step(problem);
    float *one[3], *two[3];
    double change = 0, length = 0;
    params.loop.schedule.learning_rate = 1e-4;
    gradient_problem_steps(problem, &params, one);
    params.loop.epochs = 2;
    gradient_problem_steps(problem, &params, two);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < gradient_problem_weight_count(problem, l); i++) {
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
    const struct gradient_shape shape = {CLOCK_GRID, 2, {9, 7}, 3, 1};
    struct gradient_problem problem = {.loss = &gradient_losses[1]};
    struct random random;
    random_init(&random, 6);
    gradient_problem_draw_fit(&problem, &shape, &random);
    ck_assert_double_lt(change_of_step(&problem), 0.1);
    problem.network.dropout = 0.3;
    ck_assert_double_gt(change_of_step(&problem), 0.3);
    problem.network.dropout = 0;
    problem.network.input_dropout = 0.3;
    ck_assert_double_gt(change_of_step(&problem), 0.3);
    dense_network_finish(&problem.network);
}
END_TEST

/* A sample from which nothing is to be learnt takes nothing from the others, before or after it.
 */
START_TEST(a_sample_without_error_hides_no_other)
{
    const struct gradient_shape shape = {CLOCK_GRID, 2, {9, 7}, 3, 1};
    struct gradient_problem problem = {.loss = &gradient_losses[2]};
    struct random random;
    float *before[3], *after[3];
    double sum = 0;
    random_init(&random, 6);
    gradient_problem_draw_fit(&problem, &shape, &random);
    problem.network.params.hidden_spike = _i == 0 ? HIDDEN_CROSSING : HIDDEN_PEAK;
    for (size_t i = 0; i < PROBLEM_AFFERENTS; i++) {
        problem.in_spikes[i] = -1;
        problem.in_spikes[PROBLEM_AFFERENTS + i] = rintf(problem.in_spikes[PROBLEM_AFFERENTS + i]);
    }
    problem.label[0] = -1; /* rightly, nothing fires */
    gradient_problem_gradient(&problem, after);
    problem.label[0] = problem.label[1];
    problem.label[1] = -1;
    for (size_t i = 0; i < PROBLEM_AFFERENTS; i++) {
        problem.in_spikes[i] = problem.in_spikes[PROBLEM_AFFERENTS + i];
        problem.in_spikes[PROBLEM_AFFERENTS + i] = -1;
    }
    gradient_problem_gradient(&problem, before);
    for (size_t l = 0; l < 3; l++) {
        for (size_t i = 0; i < gradient_problem_weight_count(&problem, l); i++) {
            ck_assert_float_eq(before[l][i], after[l][i]);
            sum += l == 0 ? fabs((double)before[l][i]) : 0;
        }
        free(before[l]);
        free(after[l]);
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
                               : dense_intervals_crossing(&kernel, &in, 60, &slope);
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
        size_t PROBLEM_STEPS;
        float weight;
        double at[2]; /* on the grid, in continuous time; -1: its peak */
    } rows[] = {{50, -0.5f, {17, 16.931472}}, {14, -0.5f, {13, 14}}, {50, 0.1f, {15, -1}}};
    const enum tempotron_clock clock = _i == 1 ? CLOCK_CONTINUOUS : CLOCK_GRID;
    for (size_t i = 0; i < 3; i++) {
        const struct chain chain = {
            .hidden_spike = _i == 2 ? HIDDEN_PEAK : HIDDEN_CROSSING,
            .tempotron = {clock, 2, 1, rows[i].PROBLEM_STEPS, 15, 3.75, 1},
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
            dense_intervals_max(&(const struct dense_kernel){15, 3.75, 1}, &spikes, 50, &at);
        step_chain(&chain, step);
        for (size_t j = 0; j < 2; j++)
            ck_assert_double_eq_tol((double)step[j],
                                    0.25 * psp_value(&psp, at - (double)chain.in_spikes[j]), 1e-6);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_steps");
    TCase *tests = tcase_create("gradients");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, long_gradients_are_shortened);
    tcase_add_test(tests, dropout_follows_the_sample_not_its_place);
    tcase_add_test(tests, dropout_is_another_in_every_epoch);
    tcase_add_loop_test(tests, a_sample_without_error_hides_no_other, 0, 2);
    tcase_add_loop_test(tests, a_slope_is_bounded, 0, 4);
    tcase_add_loop_test(tests, silence_draws_a_neuron_towards_its_threshold, 0, 3);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
