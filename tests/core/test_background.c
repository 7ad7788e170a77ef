/* The rest of images: blocks of features at rest, whose rows are summed beforehand, against all the
 * spikes one by one. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "core/background.h"
#include "core/evaluation.h"
#include "core/membranes.h"
#include "core/random.h"
#include "core/samples.h"
#include "core/training.h"
#include "tests/support/run_pattern.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

/* 45 features: five blocks, and five features after them. */
enum { FEATURES = 45, NEURONS = 8, IN = FEATURES * NEURONS, OUT = 11, T = 60, SAMPLES = 40 };

struct fixture {
    struct encoder encoder;
    struct encoding encoding;
    struct network *network;
    struct tempotron *tempotron; /* the network's */
    const struct layer *layer;   /* likewise */
    uint8_t bytes[SAMPLES * FEATURES];
    int32_t label[SAMPLES];
    struct pattern pattern;
    struct membranes membranes;
    struct arena arena;
};
static struct fixture f;

static const struct tempotron_params params = {CLOCK_GRID, IN, OUT, T, 15, 3.75, 1};

/* Every third sample is dark throughout, others are lit here and there, some everywhere. */
static void draw_samples(struct random *random)
{
    for (size_t b = 0; b < SAMPLES; b++) {
        f.label[b] = (int32_t)(b % OUT);
        for (size_t i = 0; i < FEATURES; i++) {
            const uint32_t bits = random_bits(random);
            const bool is_lit = b % 3 == 1 ? bits % 16 == 0 : b % 3 == 2;
            f.bytes[b * FEATURES + i] = is_lit ? (uint8_t)(bits >> 8) : 0;
        }
    }
}

static void set_up(void)
{
    float x_min[FEATURES], x_max[FEATURES];
    static float weight[OUT * IN];
    struct random random;
    for (size_t i = 0; i < FEATURES; i++) { /* two ranges, so that steps within a block differ */
        x_min[i] = i % 4 == 0 ? -40 : 0;
        x_max[i] = 255;
    }
    f = (struct fixture){.encoder = {.type = ENCODER_GAUSSIAN_TUNING}};
    random_init(&random, 5);
    tempotron_draw_weight(7, IN, OUT, weight);
    ck_assert_int_eq(
        gaussian_tuning_init(&f.encoder.gaussian_tuning, FEATURES, NEURONS, x_min, x_max, T),
        CORE_OK);
    ck_assert(byte_table_fits(&f.encoder));
    ck_assert_int_eq(encoding_init(&f.encoding, &f.encoder, tempotron_last(&params)), CORE_OK);
    f.network = single_layer(&params, weight);
    f.tempotron = single_block(f.network);
    f.layer = &f.network->layers[0];
    ck_assert_int_eq(encoding_add_background(&f.encoding, f.layer), CORE_OK);
    pattern_init(&f.pattern, FEATURES * PATTERN_SLACK, tempotron_last(&params), &f.arena);
    membranes_init(&f.membranes, f.tempotron, &f.arena);
    draw_samples(&random);
}

static void tear_down(void)
{
    arena_finish(&f.arena);
    network_destroy(f.network);
    encoding_finish(&f.encoding);
    encoder_finish(&f.encoder);
}

/* The voltages with, or without, the rest. */
static void forward(const struct background *background, size_t sample, float v[OUT * T])
{
    byte_table_encode(&f.encoding.byte_table, background, f.bytes + sample * FEATURES, &f.pattern);
    run_pattern(f.tempotron, &f.pattern, &f.membranes, v);
}

static void expect_same_voltages(void)
{
    static float with[OUT * T], without[OUT * T];
    for (size_t b = 0; b < SAMPLES; b++) {
        forward(f.encoding.background, b, with);
        forward(NULL, b, without);
        for (size_t i = 0; i < OUT * T; i++)
            ck_assert_float_eq_tol(with[i], without[i], 2e-6f);
    }
}

START_TEST(background_blocks_add_what_their_spikes_would)
{
    expect_same_voltages();
}
END_TEST

START_TEST(only_blocks_that_are_wholly_dark_are_background)
{
    uint8_t x[FEATURES] = {0};
    x[15] = 1; /* the last of the second block */
    byte_table_encode(&f.encoding.byte_table, f.encoding.background, x, &f.pattern);
    ck_assert_uint_eq(f.pattern.background_count, 4);
    const uint32_t expected[] = {0, 2, 3, 4};
    ck_assert_mem_eq(f.pattern.background_blocks, expected, sizeof expected);
    for (size_t s = 0; s < f.pattern.count; s++) {
        const size_t feature = f.pattern.afferent[s] / NEURONS;
        ck_assert(feature / BACKGROUND_BLOCK == 1 || feature >= 40);
    }
    byte_table_encode(&f.encoding.byte_table, NULL, x, &f.pattern);
    ck_assert_uint_eq(f.pattern.background_count, 0);
}
END_TEST

START_TEST(a_pattern_forgets_the_blocks_of_the_one_before)
{
    static float before[OUT * T], after[OUT * T], values[FEATURES];
    for (size_t i = 0; i < FEATURES; i++)
        values[i] = 100.5f;
    encoder_encode(&f.encoder, values, &f.pattern);
    run_pattern(f.tempotron, &f.pattern, &f.membranes, before);
    forward(f.encoding.background, 0, after); /* dark throughout */
    encoder_encode(&f.encoder, values, &f.pattern);
    run_pattern(f.tempotron, &f.pattern, &f.membranes, after);
    ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

START_TEST(rows_follow_the_weights)
{
    for (size_t i = 0; i < IN * f.tempotron->stride; i++)
        f.tempotron->weight[i] *= -1.5f;
    background_update(f.encoding.background, f.layer, &f.encoding.byte_table);
    expect_same_voltages();
}
END_TEST

START_TEST(a_background_block_has_fired_if_its_neurons_do)
{
    struct arena arena = {0};
    struct byte_table late;
    struct pattern pattern;
    const uint8_t x[FEATURES] = {0};
    byte_table_init(&late, &f.encoder, 0, &arena);
    late.n = 5 * BACKGROUND_BLOCK; /* no features after the blocks, which would fire too */
    const struct background *background = background_create(f.layer, &late, &arena);
    pattern_init(&pattern, FEATURES * PATTERN_SLACK, 0, &arena);
    ck_assert_uint_eq(background->first[background->blocks], 0);
    byte_table_encode(&late, background, x, &pattern);
    ck_assert_uint_eq(pattern.background_count, 5);
    ck_assert(pattern.fired);
    arena_finish(&arena);
}
END_TEST

/* An evaluation and a prediction have the same bits, since both use the rest. */
START_TEST(evaluations_use_the_rest)
{
    const struct loss loss = {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f};
    const struct samples set = view_bytes(SAMPLES, FEATURES, f.bytes, f.label);
    struct evaluation evaluation;
    double sum = 0;
    for (size_t b = 0; b < SAMPLES; b++) {
        forward(f.encoding.background, b, NULL);
        sum += loss_of_sample(&loss, f.membranes.v_max, f.label[b], OUT, NULL);
    }
    ck_assert_int_eq(
        network_evaluate(f.network, &set, &f.encoding, &loss, NULL, NULL, &evaluation, NULL),
        CORE_OK);
    ck_assert_double_eq(evaluation.loss, sum / SAMPLES);
}
END_TEST

static void keep_validation_loss(void *context, const struct training_epoch *epoch)
{
    *(double *)context = epoch->validation_loss;
}

/* The weights change with each epoch, and the rows of a validation with them. */
START_TEST(validations_follow_the_weights)
{
    const struct samples set = view_bytes(SAMPLES, FEATURES, f.bytes, f.label);
    const struct training_params training = {
        .loop = {.epochs = 3, .batch_size = 8, .schedule = {SCHEDULE_CONSTANT, 0.05, 1}},
        .optimizer = OPTIMIZER_ADAM,
        .loss = {.type = LOSS_MARGIN, .v_threshold = 1, .target = 1.5f, .other = 0.5f},
    };
    double last = NAN;
    struct evaluation evaluation;
    const struct training_observer observer = {.context = &last, .on_epoch = keep_validation_loss};
    ck_assert_int_eq(network_train(f.network, &set, &set, &f.encoding, &training, &observer, NULL),
                     CORE_OK);
    ck_assert_int_eq(network_evaluate(f.network, &set, &f.encoding, &training.loss, NULL, NULL,
                                      &evaluation, NULL),
                     CORE_OK);
    ck_assert_double_eq(last, evaluation.loss);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("rest");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, background_blocks_add_what_their_spikes_would);
    tcase_add_test(tests, only_blocks_that_are_wholly_dark_are_background);
    tcase_add_test(tests, a_pattern_forgets_the_blocks_of_the_one_before);
    tcase_add_test(tests, rows_follow_the_weights);
    tcase_add_test(tests, a_background_block_has_fired_if_its_neurons_do);
    tcase_add_test(tests, evaluations_use_the_rest);
    tcase_add_test(tests, validations_follow_the_weights);
    Suite *suite = suite_create("rest");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
