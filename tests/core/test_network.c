/* Networks as a whole: their weights, what a sample makes of them, SpikingJelly's stacking, and
 * that they learn. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/evaluation.h"
#include "core/random.h"
#include "core/training.h"
#include "core/v_max_reading.h"
#include "tests/support/golden.h"
#include "tests/support/iris.h"
#include "tests/support/run_pattern.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

/* --- a network and all that running it takes --- */

struct bench {
    struct network *network;
    struct activity activity;
    struct membranes membranes;
    struct arena arena;
};

static void bench_init(struct bench *bench, struct network *network, size_t capacity)
{
    *bench = (struct bench){.network = network};
    activity_init(&bench->activity, network, capacity, &bench->arena);
    membranes_init(&bench->membranes, network_widest_block(network), &bench->arena);
}

static void bench_finish(struct bench *bench)
{
    arena_finish(&bench->arena);
    network_destroy(bench->network);
}

static void bench_run(struct bench *bench, const struct samples *set, size_t sample, float *v)
{
    samples_pattern(set, NULL, sample, activity_input(&bench->activity));
    activity_forward(bench->network, &bench->membranes, &bench->activity);
    v_max_reading_voltages(bench->network, &bench->membranes, &bench->activity, v);
}

/* --- parity with SpikingJelly --- */

static struct network_params golden_network_params(const json_t *golden)
{
    const json_t *shape = json_object_get(golden, "shape");
    const size_t count = json_array_size(shape);
    struct network_params params = {
        .tempotron = {.clock = CLOCK_GRID,
                      .T = golden_size(golden, "T"),
                      .tau = golden_number(golden, "tau"),
                      .tau_s = golden_number(golden, "tau_s"),
                      .v_threshold = golden_number(golden, "v_threshold")},
        .hidden_count = count - 2,
        .hidden_spike = HIDDEN_PEAK,
        .read_out.v_max = {1, 1},
    };
    params.tempotron.in_features = (size_t)json_integer_value(json_array_get(shape, 0));
    params.tempotron.out_features = (size_t)json_integer_value(json_array_get(shape, count - 1));
    for (size_t l = 0; l < params.hidden_count; l++)
        params.hidden[l] = (size_t)json_integer_value(json_array_get(shape, l + 1));
    return params;
}

static size_t layer_weights(const struct network_params *params, size_t layer)
{
    return network_afferents(params, layer) * network_neurons(params, layer);
}

static size_t all_weights(const struct network_params *params)
{
    size_t sum = 0;
    for (size_t l = 0; l < network_depth(params); l++)
        sum += layer_weights(params, l);
    return sum;
}

/* Weights of all layers, one after the other. */
static struct network *create(const struct network_params *params, const float *weights)
{
    const float *weight[NETWORK_LAYERS];
    struct network *network;
    for (size_t l = 0; l < network_depth(params); l++) {
        weight[l] = weights;
        weights += layer_weights(params, l);
    }
    ck_assert_int_eq(network_create(params, weight, &network), CORE_OK);
    return network;
}

static void read_weights(const struct network *network, float *weights)
{
    for (size_t l = 0; l < network->depth; l++) {
        layer_weight(&network->layers[l], weights);
        weights += layer_weights(&network->params, l);
    }
}

static void expect_golden_forward(const json_t *golden, const struct network_params *params,
                                  struct bench *bench, const struct samples *set)
{
    const size_t out = params->tempotron.out_features;
    float *v_max = golden_floats(golden, "v_max", set->count * out);
    const json_t *layers = json_object_get(golden, "spikes");
    for (size_t b = 0; b < set->count; b++) {
        bench_run(bench, set, b, NULL);
        for (size_t l = 0; l < params->hidden_count; l++) {
            const json_t *spikes = json_array_get(json_array_get(layers, l), b);
            for (size_t j = 0; j < params->hidden[l]; j++)
                ck_assert_double_eq((double)bench->activity.layers[l].spike[j],
                                    json_number_value(json_array_get(spikes, j)));
        }
        for (size_t j = 0; j < out; j++)
            ck_assert_float_eq_tol(bench->activity.layers[params->hidden_count].v_max[j],
                                   v_max[b * out + j], 1e-5f);
    }
    free(v_max);
}

/* The gradient is what one step of plain descent takes away. */
static void expect_golden_gradient(const json_t *golden, struct network *network,
                                   const struct samples *set)
{
    const bool is_mse = strcmp(json_string_value(json_object_get(golden, "loss_type")), "mse") == 0;
    const size_t count = all_weights(&network->params);
    const struct training_params params = {
        .loop = {.epochs = 1, .batch_size = set->count, .schedule = {.learning_rate = 1}},
        .loss = {.type = is_mse ? LOSS_MSE : LOSS_CROSS_ENTROPY,
                 .v_threshold = (float)golden_number(golden, "v_threshold"),
                 .beta = (float)golden_number(golden, "beta")},
    };
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    float *gradient = golden_floats(golden, "gradient", count), greatest = 0;
    float *before = calloc(count, sizeof *before), *after = calloc(count, sizeof *after);
    read_weights(network, before);
    ck_assert_int_eq(network_train(network, set, NULL, NULL, &params, &observer, NULL), CORE_OK);
    read_weights(network, after);
    ck_assert_double_eq_tol(last.epoch.loss, golden_number(golden, "loss"), 1e-5);
    for (size_t i = 0; i < count; i++)
        greatest = fmaxf(greatest, fabsf(gradient[i]));
    for (size_t i = 0; i < count; i++)
        ck_assert_float_eq_tol(before[i] - after[i], gradient[i], 1e-5f * greatest);
    free(after);
    free(before);
    free(gradient);
}

static void hidden_peak_case(const json_t *golden)
{
    const struct network_params params = golden_network_params(golden);
    const size_t batch = golden_size(golden, "batch"), in = params.tempotron.in_features;
    float *weights = golden_floats(golden, "weight", all_weights(&params));
    float *in_spikes = golden_floats(golden, "in_spikes", batch * in);
    int32_t *label = golden_labels(golden, "label", batch);
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, batch, in, in_spikes, label);
    struct bench bench;
    bench_init(&bench, create(&params, weights), in);
    expect_golden_forward(golden, &params, &bench, &set);
    expect_golden_gradient(golden, bench.network, &set);
    bench_finish(&bench);
    free(label);
    free(in_spikes);
    free(weights);
}

START_TEST(peaks_equal_golden_stacking)
{
    golden_each("hidden_peak", hidden_peak_case);
}
END_TEST

/* --- weights --- */

static const struct network_params three_layers = {
    .tempotron = {CLOCK_GRID, 40, 6, 30, 15, 3.75, 1},
    .hidden_count = 2,
    .hidden = {70, 33},
    .read_out.v_max = {3, 2},
};

static float *numbered(size_t count)
{
    float *numbers = calloc(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (float)i;
    return numbers;
}

START_TEST(a_network_knows_its_shape)
{
    ck_assert_uint_eq(network_depth(&three_layers), 3);
    ck_assert_uint_eq(network_outputs(&three_layers), 2);
    ck_assert_uint_eq(network_afferents(&three_layers, 0), 40);
    ck_assert_uint_eq(network_afferents(&three_layers, 1), 70);
    ck_assert_uint_eq(network_afferents(&three_layers, 2), 33);
    ck_assert_uint_eq(network_neurons(&three_layers, 0), 70);
    ck_assert_uint_eq(network_neurons(&three_layers, 1), 33);
    ck_assert_uint_eq(network_neurons(&three_layers, 2), 6);
    const struct network_params one = network_params_of(&three_layers.tempotron);
    ck_assert_uint_eq(network_depth(&one), 1);
    ck_assert_uint_eq(network_outputs(&one), 6);
    ck_assert_uint_eq(network_afferents(&one, 0), 40);
}
END_TEST

/* Across the borders of blocks: neuron j's weight of afferent i is where it was put. */
START_TEST(weights_are_read_back_as_they_were_given)
{
    const size_t count = all_weights(&three_layers);
    float *given = numbered(count), *read = calloc(count, sizeof *read);
    struct network *network = create(&three_layers, given);
    read_weights(network, read);
    ck_assert_mem_eq(read, given, count * sizeof *read);
    ck_assert_uint_eq(network->layers[0].block_count, 3);
    ck_assert_uint_eq(network->layers[0].width, 32 + 32 + 8);
    ck_assert_uint_eq(network->layers[1].width, 32 + 8);
    ck_assert_uint_eq(network_bytes(network), sizeof(float) * (40 * 72 + 70 * 40 + 33 * 8));
    ck_assert_uint_eq(network_widest_block(network)->stride, 32);
    for (size_t j = 0; j < 70; j++) {
        size_t stride;
        const float *weight = layer_neuron(&network->layers[0], j, &stride);
        for (size_t i = 0; i < 40; i++)
            ck_assert_float_eq(weight[i * stride], (float)(j * 40 + i));
    }
    network_destroy(network);
    free(read);
    free(given);
}
END_TEST

START_TEST(a_copy_is_the_same_and_apart)
{
    const size_t count = all_weights(&three_layers);
    float *given = numbered(count), *read = calloc(count, sizeof *read);
    struct network *network = create(&three_layers, given), *copy;
    ck_assert_int_eq(network_copy(network, &copy), CORE_OK);
    ck_assert(same_weights(network, copy));
    ck_assert_uint_eq(copy->layers[0].width, network->layers[0].width);
    ck_assert_mem_eq(&copy->params, &network->params, sizeof copy->params);
    network->layers[1].blocks[1]->weight[0] = -7;
    ck_assert(!same_weights(network, copy));
    network_destroy(network);
    read_weights(copy, read);
    ck_assert_mem_eq(read, given, count * sizeof *read);
    network_destroy(copy);
    free(read);
    free(given);
}
END_TEST

START_TEST(one_layer_draws_what_a_tempotron_does)
{
    const struct network_params params = network_params_of(&three_layers.tempotron);
    float network[6 * 40], tempotron[6 * 40];
    network_draw_weight(&params, 0, 11, network);
    tempotron_draw_weight(11, 40, 6, tempotron);
    ck_assert_mem_eq(network, tempotron, sizeof network);
}
END_TEST

static void moments(const float *values, size_t count, double *ret_mean, double *ret_deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i];
    *ret_mean = sum / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += ((double)values[i] - *ret_mean) * ((double)values[i] - *ret_mean);
    *ret_deviation = sqrt(squares / (double)count);
}

/* Hidden ones around a mean above 0, the last around 0; each layer others, and others by the seed.
 */
START_TEST(layers_draw_normal_weights)
{
    struct network_params params = three_layers;
    static float first[64 * 64], second[64 * 64], third[64 * 64], again[64 * 64];
    double mean, deviation;
    params.tempotron.in_features = params.hidden[0] = params.hidden[1] = 64;
    params.tempotron.out_features = 64;
    network_draw_weight(&params, 0, 3, first);
    network_draw_weight(&params, 1, 3, second);
    network_draw_weight(&params, 2, 3, third);
    network_draw_weight(&params, 0, 3, again);
    ck_assert_mem_eq(first, again, sizeof first);
    network_draw_weight(&params, 0, 4, again);
    ck_assert(memcmp(first, again, sizeof first) != 0);
    ck_assert(memcmp(first, second, sizeof first) != 0);
    moments(first, 64 * 64, &mean, &deviation);
    ck_assert_double_eq_tol(mean, 16.0 / 64, 0.02);
    ck_assert_double_eq_tol(deviation, 1.4 / 8, 0.02);
    moments(third, 64 * 64, &mean, &deviation);
    ck_assert_double_eq_tol(mean, 0, 0.03);
    ck_assert_double_eq_tol(deviation, 2.25 / 8, 0.02);
}
END_TEST

/* Weights multiply a potential whose peak is the threshold: they know nothing of its unit. And of
 * few inputs none makes every neuron fire by itself. */
START_TEST(weights_are_drawn_for_any_threshold_and_few_inputs)
{
    struct network_params params = three_layers;
    static float weight[64 * 4], other[64 * 4];
    double mean, deviation;
    params.tempotron.in_features = 4;
    params.hidden[0] = 64;
    network_draw_weight(&params, 0, 3, weight);
    params.tempotron.v_threshold = 100;
    network_draw_weight(&params, 0, 3, other);
    ck_assert_mem_eq(weight, other, sizeof weight);
    moments(weight, 64 * 4, &mean, &deviation);
    ck_assert_double_eq_tol(mean, 0.75, 0.15);
    ck_assert_double_eq_tol(deviation, 1.4 / 2, 0.1);
}
END_TEST

/* A spike in continuous time, whose interval has a maximum of its own, is more than a row to add.
 */
START_TEST(continuous_time_is_more_work)
{
    struct network_params params = three_layers;
    params.tempotron.T = 1;
    params.tempotron.clock = CLOCK_GRID;
    const uint64_t grid = network_work(&params, 1000);
    params.tempotron.clock = CLOCK_CONTINUOUS;
    ck_assert_uint_gt(network_work(&params, 1000), 10 * grid);
}
END_TEST

/* Neurons are computed LANES at a time. */
START_TEST(one_neuron_is_as_much_work_as_eight)
{
    struct tempotron_params params = {CLOCK_GRID, 10, 1, 100, 15, 3.75, 1};
    const uint64_t one = tempotron_work(&params, 10);
    params.out_features = 8;
    ck_assert_uint_eq(tempotron_work(&params, 10), one);
    params.out_features = 9;
    ck_assert_uint_gt(tempotron_work(&params, 10), one * 3 / 2);
}
END_TEST

START_TEST(a_time_that_is_not_a_number_is_silence)
{
    struct arena arena = {0};
    struct pattern pattern;
    pattern_init(&pattern, 4, 10, &arena);
    pattern_clear(&pattern);
    pattern_add(&pattern, 0, NAN);
    pattern_add(&pattern, 1, -1);
    ck_assert_uint_eq(pattern.count, 0);
    ck_assert(!pattern.fired);
    arena_finish(&arena);
}
END_TEST

/* --- what a sample makes of it --- */

/* One layer of several blocks has the bits of a tempotron as wide. */
START_TEST(blocks_of_a_layer_are_one_tempotron)
{
    struct arena arena = {0};
    enum { IN = 20, OUT = 70, T = 40 };
    const struct tempotron_params shape = {
        _i == 0 ? CLOCK_GRID : CLOCK_CONTINUOUS, IN, OUT, T, 15, 3.75, 1};
    const struct network_params params = network_params_of(&shape);
    static float weight[OUT * IN], in_spikes[IN], v[OUT * T], expected_v[OUT * T];
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, IN, in_spikes, NULL);
    struct bench bench;
    struct membranes membranes;
    struct random random;
    random_init(&random, 8);
    for (size_t i = 0; i < IN; i++)
        in_spikes[i] = random_uniform(&random) * T;
    tempotron_draw_weight(1, IN, OUT, weight);
    bench_init(&bench, create(&params, weight), IN);
    bench_run(&bench, &set, 0, v);
    struct tempotron *tempotron = tempotron_create(&shape, weight, &arena);
    membranes_init(&membranes, tempotron, &arena);
    run_pattern(tempotron, activity_input(&bench.activity), &membranes, expected_v);
    ck_assert_mem_eq(v, expected_v, sizeof v);
    ck_assert_mem_eq(bench.activity.layers[0].v_max, membranes.v_max, OUT * sizeof(float));
    ck_assert_mem_eq(bench.activity.layers[0].t_max, membranes.t_max, OUT * sizeof(double));
    ck_assert_mem_eq(bench.activity.score, membranes.v_max, OUT * sizeof(float));
    arena_finish(&arena);
    bench_finish(&bench);
}
END_TEST

/* Input spikes that fire no hidden neuron leave nothing to decide on. */
START_TEST(without_a_hidden_spike_there_is_no_decision)
{
    const float weights[] = {0.9f, -1, /**/ 1, 1, /**/ 1, 1}, in_spikes[] = {3, 20, 3, -1};
    const struct network_params params = {
        .tempotron = {CLOCK_GRID, 1, 2, 50, 15, 3.75, 1},
        .hidden_count = 1,
        .hidden = {2},
        .hidden_spike = _i == 0 ? HIDDEN_CROSSING : HIDDEN_PEAK,
        .read_out.v_max = {1, 1},
    };
    struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, 1, in_spikes, NULL);
    struct bench bench;
    bench_init(&bench, create(&params, weights), 1);
    bench_run(&bench, &set, 0, NULL);
    ck_assert(!activity_decides(&bench.activity));
    ck_assert_float_eq(bench.activity.score[0], 0);
    ck_assert_float_eq(bench.activity.score[1], 0);
    bench.network->layers[0].blocks[0]->weight[1] = 1.5f; /* now the second one does fire */
    bench_run(&bench, &set, 0, NULL);
    ck_assert(activity_decides(&bench.activity));
    ck_assert_float_eq(bench.activity.layers[0].spike[0], -1);
    ck_assert_float_gt(bench.activity.layers[0].spike[1], 3);
    ck_assert_float_gt(bench.activity.score[1], 0.5f);
    bench_finish(&bench);
}
END_TEST

/* With groups of neurons, a class's score decides, and the loss is computed from it. */
START_TEST(an_evaluation_counts_classes)
{
    enum { IN = 40, SAMPLES = 50 };
    const struct loss loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 3};
    static float in_spikes[SAMPLES * IN];
    int32_t label[SAMPLES];
    uint64_t confusion[4], expected[4] = {0};
    float *weights = calloc(all_weights(&three_layers), sizeof *weights), *at = weights;
    double sum = 0;
    struct random random;
    struct evaluation evaluation;
    struct bench bench;
    random_init(&random, 4);
    for (size_t i = 0; i < SAMPLES * IN; i++)
        in_spikes[i] = random_uniform(&random) * 20;
    for (size_t l = 0; l < 3; at += layer_weights(&three_layers, l++))
        network_draw_weight(&three_layers, l, 5, at);
    for (size_t b = 0; b < SAMPLES; b++)
        label[b] = (int32_t)(random_bits(&random) % 2);
    for (size_t i = 0; i < IN; i++)
        in_spikes[i] = -1; /* the first one is silent */
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, SAMPLES, IN, in_spikes, label);
    bench_init(&bench, create(&three_layers, weights), IN);
    ck_assert_int_eq(
        network_evaluate(bench.network, &set, NULL, &loss, NULL, NULL, &evaluation, confusion),
        CORE_OK);
    for (size_t b = 0; b < SAMPLES; b++) {
        bench_run(&bench, &set, b, NULL);
        const float *score = bench.activity.score;
        sum += loss_of_sample(&loss, score, label[b], 2, NULL);
        if (activity_decides(&bench.activity))
            expected[2 * label[b] + (score[1] > score[0])]++;
    }
    ck_assert_uint_ge(evaluation.undecided, 1);
    ck_assert_double_eq_tol(evaluation.loss, sum / SAMPLES, 1e-12);
    ck_assert_mem_eq(confusion, expected, sizeof confusion);
    ck_assert_double_eq(evaluation.accuracy, (double)(expected[0] + expected[3]) / SAMPLES);
    bench_finish(&bench);
    free(weights);
}
END_TEST

/* --- they learn --- */

enum { IRIS_AFFERENTS = IRIS_FEATURES * IRIS_NEURONS };

static const struct network_params iris_shape = {
    .tempotron = {CLOCK_GRID, IRIS_AFFERENTS, IRIS_CLASSES, 150, 150, 37.5, 1},
    .hidden_count = 1,
    .hidden = {20},
    .read_out.v_max = {1, 1},
};
static const struct training_params iris_params = {
    .loop = {.epochs = 60,
             .batch_size = 16,
             .schedule = {SCHEDULE_COSINE, 0.01, 1},
             .shuffle = true},
    .optimizer = OPTIMIZER_ADAM,
    .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    .silence_cost = 1e-5,
    .slope_floor = 4,
};

static struct network *drawn(const struct network_params *params, uint32_t seed)
{
    float *weights = calloc(all_weights(params), sizeof *weights), *at = weights;
    for (size_t l = 0; l < network_depth(params); at += layer_weights(params, l++))
        network_draw_weight(params, l, seed, at);
    struct network *network = create(params, weights);
    free(weights);
    return network;
}

START_TEST(a_hidden_layer_learns_iris)
{
    static const struct {
        enum tempotron_clock clock;
        enum hidden_spike hidden_spike;
        size_t neurons_per_class;
        double accuracy;
    } rows[] = {{CLOCK_GRID, HIDDEN_CROSSING, 1, 0.94},
                {CLOCK_GRID, HIDDEN_CROSSING, 3, 0.94},
                {CLOCK_CONTINUOUS, HIDDEN_CROSSING, 1, 0.94},
                {CLOCK_GRID, HIDDEN_PEAK, 1, 0.83}};
    struct network_params shape = iris_shape;
    struct iris iris;
    double accuracy = 0;
    shape.tempotron.clock = rows[_i].clock;
    shape.tempotron.out_features *= rows[_i].neurons_per_class;
    shape.hidden_spike = rows[_i].hidden_spike;
    shape.read_out.v_max = (struct v_max_read_out){rows[_i].neurons_per_class, 5};
    iris_load(&iris);
    for (size_t fold = 0; fold < 5; fold++) {
        struct network *network = drawn(&shape, 1);
        accuracy += iris_accuracy(&iris, network, 0, fold, &iris_params) / 5;
        network_destroy(network);
    }
    ck_assert_double_ge(accuracy, rows[_i].accuracy);
    iris_finish(&iris);
}
END_TEST

/* The weights of every layer. */
START_TEST(patience_keeps_the_best_epoch_of_all_layers)
{
    struct training_params params = iris_params;
    params.loop.schedule = (struct schedule){.learning_rate = 0.05};
    struct network *network = drawn(&iris_shape, 1), *equal = drawn(&iris_shape, 1);
    iris_expect_patience(network, equal, params);
    network_destroy(equal);
    network_destroy(network);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *tests = tcase_create("network");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, peaks_equal_golden_stacking);
    tcase_add_test(tests, a_network_knows_its_shape);
    tcase_add_test(tests, weights_are_read_back_as_they_were_given);
    tcase_add_test(tests, a_copy_is_the_same_and_apart);
    tcase_add_test(tests, one_layer_draws_what_a_tempotron_does);
    tcase_add_test(tests, layers_draw_normal_weights);
    tcase_add_test(tests, weights_are_drawn_for_any_threshold_and_few_inputs);
    tcase_add_test(tests, continuous_time_is_more_work);
    tcase_add_test(tests, one_neuron_is_as_much_work_as_eight);
    tcase_add_test(tests, a_time_that_is_not_a_number_is_silence);
    tcase_add_loop_test(tests, blocks_of_a_layer_are_one_tempotron, 0, 2);
    tcase_add_loop_test(tests, without_a_hidden_spike_there_is_no_decision, 0, 2);
    tcase_add_test(tests, an_evaluation_counts_classes);
    tcase_add_loop_test(tests, a_hidden_layer_learns_iris, 0, 4);
    tcase_add_test(tests, patience_keeps_the_best_epoch_of_all_layers);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
