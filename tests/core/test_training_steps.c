/* The steps of training: against torch, against finite differences, and what each parameter changes
 * of them. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/membranes.h"
#include "core/random.h"
#include "core/simd.h"
#include "core/training.h"
#include "tests/support/few_samples.h"
#include "tests/support/golden.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

/* --- parity with torch --- */

static struct training_params golden_training_params(const json_t *golden)
{
    const char *name = json_string_value(json_object_get(golden, "optimizer"));
    return (struct training_params){
        .loop = {.epochs = 1,
                 .batch_size = golden_size(golden, "batch_size"),
                 .schedule = {.learning_rate = golden_number(golden, "lr")}},
        .optimizer = strcmp(name, "adam") == 0 ? OPTIMIZER_ADAM : OPTIMIZER_SGD,
        .momentum = golden_number(golden, "momentum"),
        .loss = {.type = LOSS_MSE, .v_threshold = (float)golden_number(golden, "v_threshold")},
    };
}

/* Trains on the first `count` samples and returns the sum of their batches' losses. */
static double train_prefix(const struct tempotron_params *shape, const float *weight,
                           struct samples set, size_t count, const struct training_params *params,
                           float *ret_weight)
{
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    set.count = count;
    struct network *network = single_layer(shape, weight);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, params, &observer, NULL), CORE_OK);
    single_layer_weight(network, ret_weight);
    network_destroy(network);
    return last.epoch.loss * (double)(count / params->loop.batch_size);
}

static void training_case(const json_t *golden)
{
    const struct tempotron_params shape = {
        .in_features = golden_size(golden, "in_features"),
        .out_features = golden_size(golden, "out_features"),
        .T = golden_size(golden, "T"),
        .tau = golden_number(golden, "tau"),
        .tau_s = golden_number(golden, "tau_s"),
        .v_threshold = golden_number(golden, "v_threshold"),
    };
    struct training_params params = golden_training_params(golden);
    const size_t weights = shape.in_features * shape.out_features, batch = params.loop.batch_size;
    const size_t count = json_array_size(json_object_get(golden, "label")), steps = count / batch;
    float *weight = golden_floats(golden, "weight", weights);
    float *in_spikes = golden_floats(golden, "in_spikes", count * shape.in_features);
    int32_t *label = golden_labels(golden, "label", count);
    float *loss = golden_floats(golden, "loss", steps);
    float *gradient = golden_floats(golden, "first_gradient", weights);
    float *final_weight = golden_floats(golden, "final_weight", weights);
    float *trained = calloc(weights, sizeof *trained);
    const struct samples set =
        view_values(SAMPLES_SPIKE_TIMES, count, shape.in_features, in_spikes, label);

    double before = 0;
    for (size_t step = 1; step <= steps; step++) {
        const double sum = train_prefix(&shape, weight, set, step * batch, &params, trained);
        ck_assert_double_eq_tol(sum - before, (double)loss[step - 1], 1e-4);
        before = sum;
    }
    for (size_t i = 0; i < weights; i++)
        ck_assert_float_eq_tol(trained[i], final_weight[i], 1e-4f);

    params.optimizer = OPTIMIZER_SGD;
    params.loop.schedule.learning_rate = 1;
    train_prefix(&shape, weight, set, batch, &params, trained);
    for (size_t i = 0; i < weights; i++)
        ck_assert_float_eq_tol(weight[i] - trained[i], gradient[i], 1e-4f);
    free(trained);
    free(final_weight);
    free(gradient);
    free(loss);
    free(label);
    free(in_spikes);
    free(weight);
}

START_TEST(training_equals_golden)
{
    golden_each("training", training_case);
}
END_TEST

/* --- gradients --- */

enum { IN = 12, OUT = 3, T = 60 };

/* The loss in double precision from the definition of V, and the steps of the maxima. */
static double dense_loss(const struct loss *loss, const struct psp *psp, const double *weight,
                         const float *t_in, int32_t label, int32_t *t_max)
{
    double v_max[OUT], sum = 0, total = 0;
    for (size_t j = 0; j < OUT; j++) {
        v_max[j] = -INFINITY;
        for (int32_t t = 0; t < T; t++) {
            double v = 0;
            for (size_t i = 0; i < IN; i++)
                if (t_in[i] >= 0)
                    v += weight[j * IN + i] * psp_value(psp, (double)t - (double)t_in[i]);
            if (v > v_max[j]) {
                v_max[j] = v;
                t_max[j] = t;
            }
        }
        sum += exp((double)loss->beta * v_max[j]);
    }
    if (loss->type == LOSS_CROSS_ENTROPY)
        return log(sum) - (double)loss->beta * v_max[label];
    for (size_t j = 0; j < OUT; j++) {
        if (loss->type == LOSS_MARGIN) {
            const double short_of = (double)loss->target - v_max[j];
            const double beyond = v_max[j] - (double)loss->other;
            const double violation = fmax(0, (int32_t)j == label ? short_of : beyond);
            total += violation * violation;
            continue;
        }
        const double error = v_max[j] - (double)loss->v_threshold;
        if ((error >= 0) != ((int32_t)j == label))
            total += loss->type == LOSS_MSE ? error * error : fabs(error);
    }
    return total;
}

/* dL/dw of one sample, [IN][stride], in the arena. */
static const float *gradient_of(const struct loss *loss, const struct tempotron *tempotron,
                                const float *t_in, int32_t label, struct arena *arena)
{
    _Alignas(64) float dv[LANES] = {0};
    struct pattern pattern;
    struct timeline timeline;
    struct membranes membranes;
    struct credit credit;
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, IN, t_in, NULL);
    float *gradient = arena_place(arena, IN * tempotron->stride, sizeof *gradient);
    pattern_init(&pattern, IN, tempotron_last(&tempotron->params), arena);
    membranes_init(&membranes, tempotron, arena);
    timeline_init(&timeline, tempotron->params.clock, IN, arena);
    credit_init(&credit, tempotron, IN, arena);
    ck_assert_int_eq(arena_status(arena), CORE_OK);
    samples_pattern(&set, NULL, 0, &pattern);
    timeline_read(&timeline, tempotron, &pattern);
    membranes_run(tempotron, &pattern, &timeline, &membranes, NULL);
    loss_of_sample(loss, membranes.v_max, label, OUT, dv);
    const struct voltage_gradient voltage_gradient = {.at = membranes.t_max, .amount = dv};
    membranes_backward(tempotron, &pattern, &timeline, &voltage_gradient, &membranes, &credit);
    credit_add(&credit, &pattern, &timeline, 0, IN, gradient);
    return gradient;
}

/* The finite difference of the loss by *weight, which is one of weights[OUT][IN]. False: a maximum
 * jumps to another step there. */
static bool find_slope(const struct loss *loss, const struct psp *psp, double *weights,
                       double *weight, const float *t_in, int32_t label, double *ret_slope)
{
    const double step = 1e-5, kept = *weight;
    int32_t low_t[OUT], high_t[OUT];
    *weight = kept - step;
    const double low = dense_loss(loss, psp, weights, t_in, label, low_t);
    *weight = kept + step;
    const double high = dense_loss(loss, psp, weights, t_in, label, high_t);
    *weight = kept;
    *ret_slope = (high - low) / (2 * step);
    return memcmp(low_t, high_t, sizeof low_t) == 0;
}

/* One random sample; returns how many weights' derivatives were compared. */
static size_t compare_gradient(const struct loss *loss, struct random *random, bool on_grid)
{
    struct arena arena = {0};
    const struct tempotron_params shape = {CLOCK_GRID, IN, OUT, T, 15, 3.75, 1};
    float weight[OUT * IN], t_in[IN];
    double exact[OUT * IN], slope;
    for (size_t i = 0; i < OUT * IN; i++)
        exact[i] = (double)(weight[i] = 2 * random_uniform(random) - 0.7f);
    for (size_t i = 0; i < IN; i++)
        t_in[i] = random_uniform(random) * 70 - 10;
    for (size_t i = 0; on_grid && i < IN; i++)
        t_in[i] = rintf(t_in[i]);
    const int32_t label = (int32_t)(random_bits(random) % OUT);
    const struct tempotron *tempotron = tempotron_create(&shape, weight, &arena);
    const float *gradient = gradient_of(loss, tempotron, t_in, label, &arena);

    size_t compared = 0;
    for (size_t j = 0; j < OUT; j++)
        for (size_t i = 0; i < IN; i++) {
            if (!find_slope(loss, &tempotron->psp, exact, &exact[j * IN + i], t_in, label, &slope))
                continue;
            ck_assert_double_eq_tol((double)gradient[i * tempotron->stride + j], slope, 2e-4);
            compared++;
        }
    arena_finish(&arena);
    return compared;
}

START_TEST(gradient_agrees_with_finite_differences)
{
    static const struct loss losses[] = {{.type = LOSS_MSE, .v_threshold = 1},
                                         {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
                                         {.type = LOSS_MARGIN, .target = 1.5f, .other = 0.5f},
                                         {.type = LOSS_TEMPOTRON, .v_threshold = 1}};
    struct random random;
    random_init(&random, 3);
    size_t compared = 0;
    for (int sample = 0; sample < 40; sample++)
        compared += compare_gradient(&losses[_i], &random, sample % 2 == 0);
    ck_assert_uint_gt(compared, 30 * OUT * IN);
}
END_TEST

/* --- promises --- */

START_TEST(the_learning_rate_decays_by_the_epoch)
{
    struct network *whole = few_drawn(), *parts = few_drawn();
    struct training_params params = few_params;
    params.loop.epochs = 2;
    params.loop.schedule.type = SCHEDULE_EXPONENTIAL;
    params.loop.schedule.decay = 0.5;
    few_train(whole, 0, 3, &params);
    few_train(parts, 0, 3, &few_params);
    params.loop.epochs = 1;
    params.loop.schedule = (struct schedule){.learning_rate = 0.05};
    few_train(parts, 0, 3, &params);
    ck_assert(same_weights(whole, parts));
    network_destroy(whole);
    network_destroy(parts);
}
END_TEST

/* After one step, of sgd or adam, the decayed weights lack lr * weight_decay of what they were. */
START_TEST(weight_decay_is_apart_from_the_gradient)
{
    for (int adam = 0; adam < 2; adam++) {
        struct network *plain = few_drawn(), *decayed = few_drawn(), *start = few_drawn();
        struct training_params params = few_params;
        params.optimizer = adam ? OPTIMIZER_ADAM : OPTIMIZER_SGD;
        few_train(plain, 0, 2, &params);
        params.weight_decay = 2;
        few_train(decayed, 0, 2, &params);
        float without[6], with[6], before[6];
        single_layer_weight(plain, without);
        single_layer_weight(decayed, with);
        single_layer_weight(start, before);
        for (size_t i = 0; i < 6; i++)
            ck_assert_float_eq_tol(without[i] - with[i], 0.1f * 2 * before[i], 1e-6f);
        network_destroy(start);
        network_destroy(plain);
        network_destroy(decayed);
    }
}
END_TEST

START_TEST(schedules_end_where_they_should)
{
    const struct schedule constant = {SCHEDULE_CONSTANT, 0.4, 1};
    const struct schedule exponential = {SCHEDULE_EXPONENTIAL, 0.4, 0.5};
    const struct schedule cosine = {SCHEDULE_COSINE, 0.4, 1};
    ck_assert_double_eq(schedule_rate(&constant, 7, 90, 100), 0.4);
    ck_assert_double_eq_tol(schedule_rate(&exponential, 3, 90, 100), 0.05, 1e-12);
    for (size_t step = 0; step < 100; step++)
        ck_assert_double_eq_tol(schedule_rate(&cosine, 0, step, 100),
                                0.2 * (1 + cos((double)step / 100 * 3.14159265358979)), 1e-12);
}
END_TEST

/* Momentum would go on: Gütig's rule steps on errors alone, each neuron on its own. */
START_TEST(a_neuron_without_an_error_stays_as_it_is)
{
    const struct tempotron_params shape = {CLOCK_GRID, 2, 2, 50, 15, 3.75, 1};
    const float weight[] = {2, 0, 0.5f, 0}, in_spikes[] = {3, -1, -1, 5, -1, 5};
    const int32_t label[] = {1, 1, 1};
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 3, 2, in_spikes, label);
    const struct training_params params = {
        .loop = {.epochs = 1, .batch_size = 1, .schedule = {.learning_rate = 0.1}},
        .momentum = 0.9,
        .optimizer = _i == 0 ? OPTIMIZER_SGD : OPTIMIZER_ADAM,
        .loss = {.type = LOSS_TEMPOTRON, .v_threshold = 1},
    };
    float trained[4];
    struct network *network = single_layer(&shape, weight);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, &params, NULL, NULL), CORE_OK);
    single_layer_weight(network, trained);
    /* Neuron 0 fires once where it should not; neuron 1 never fires, and should three times. */
    ck_assert_float_eq_tol(trained[0], 2 - 0.1f, 2e-3f);
    ck_assert_float_eq(trained[1], 0);
    ck_assert_float_gt(trained[2], _i == 0 ? 0.75f : 0.65f); /* its momentum does go on */
    ck_assert_float_gt(trained[3], _i == 0 ? 0.2f : 0.15f);
    network_destroy(network);
}
END_TEST

/* On the grid the silent label's output learns from the first step at which the last spike's
 * potential has peaked, or from the last step; one that rises learns from its own peak. */
START_TEST(a_silent_output_learns_from_where_it_would_have_peaked)
{
    static const struct {
        size_t T;
        float weight;
        double t_max;
    } rows[] = {{50, -0.5f, 17}, {14, -0.5f, 13}, {50, 0.1f, 15}};
    for (size_t i = 0; i < 3; i++) {
        const struct tempotron_params shape = {CLOCK_GRID, 2, 1, rows[i].T, 15, 3.75, 1};
        const float weight[] = {rows[i].weight, rows[i].weight}, in_spikes[] = {3, 10};
        const int32_t label = 0;
        const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, 2, in_spikes, &label);
        const struct training_params params = {
            .loop = {.epochs = 1, .batch_size = 1, .schedule = {.learning_rate = 0.01}},
            .loss = {.type = LOSS_TEMPOTRON, .v_threshold = 1},
        };
        float trained[2];
        struct network *network = single_layer(&shape, weight);
        ck_assert_int_eq(network_train(network, &set, NULL, NULL, &params, NULL, NULL), CORE_OK);
        single_layer_weight(network, trained);
        for (size_t j = 0; j < 2; j++)
            ck_assert_double_eq_tol(
                (double)(trained[j] - weight[j]),
                0.01 * psp_value(&single_block(network)->psp, rows[i].t_max - (double)in_spikes[j]),
                1e-6);
        network_destroy(network);
    }
}
END_TEST

/* Weights so low that no output rises above rest: only the paper's remedy lets it learn. */
START_TEST(silent_outputs_are_revived)
{
    static const enum loss_type losses[] = {LOSS_TEMPOTRON, LOSS_MARGIN, LOSS_CROSS_ENTROPY};
    const struct tempotron_params shape = {CLOCK_GRID, 2, 2, 50, 15, 3.75, 1};
    const float weight[] = {-0.5f, -0.5f, -0.5f, -0.5f}, in_spikes[] = {3, 10};
    const int32_t label = 1;
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, 2, in_spikes, &label);
    const struct training_params params = {
        .loop = {.epochs = 200, .batch_size = 1, .schedule = {.learning_rate = 0.05}},
        .loss = {.type = losses[_i], .v_threshold = 1, .beta = 5, .target = 1.5f, .other = 0.5f},
    };
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    struct network *network = single_layer(&shape, weight);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, &params, &observer, NULL), CORE_OK);
    ck_assert_double_lt(last.epoch.loss, 0.1);
    ck_assert_double_eq(last.epoch.accuracy, 1);
    network_destroy(network);
}
END_TEST

/* Where torch has a gradient, or none with SpikingJelly's loss, that is what there is. */
START_TEST(mse_and_risen_outputs_have_only_the_gradient)
{
    static const enum loss_type losses[] = {LOSS_MSE, LOSS_CROSS_ENTROPY};
    const struct tempotron_params shape = {CLOCK_GRID, 2, 2, 50, 15, 3.75, 1};
    const float risen = _i == 0 ? -0.5f : 0.5f, in_spikes[] = {3, 10};
    const float weight[] = {risen, risen, -0.5f, -0.5f};
    float after[4];
    const int32_t label = 1;
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, 2, in_spikes, &label);
    const struct training_params params = {
        .loop = {.epochs = 1, .batch_size = 1, .schedule = {.learning_rate = 0.05}},
        .loss = {.type = losses[_i], .v_threshold = 1, .beta = 5},
    };
    struct network *network = single_layer(&shape, weight);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, &params, NULL, NULL), CORE_OK);
    layer_weight(&network->layers[0], after);
    ck_assert_mem_eq(after + 2, weight + 2, 2 * sizeof *weight);
    network_destroy(network);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("training_steps");
    TCase *tests = tcase_create("training");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, training_equals_golden);
    tcase_add_loop_test(tests, gradient_agrees_with_finite_differences, 0, 4);
    tcase_add_test(tests, the_learning_rate_decays_by_the_epoch);
    tcase_add_test(tests, weight_decay_is_apart_from_the_gradient);
    tcase_add_test(tests, schedules_end_where_they_should);
    tcase_add_loop_test(tests, a_neuron_without_an_error_stays_as_it_is, 0, 2);
    tcase_add_test(tests, a_silent_output_learns_from_where_it_would_have_peaked);
    tcase_add_loop_test(tests, silent_outputs_are_revived, 0, 3);
    tcase_add_loop_test(tests, mse_and_risen_outputs_have_only_the_gradient, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
