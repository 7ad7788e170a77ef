/* Samples as they are shown: bytes that stay bytes, and views of others' samples. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"
#include "core/training.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

enum { FEATURES = 300, COUNT = 12, T = 40, OUTPUTS = 3, CAPACITY = FEATURES * PATTERN_SLACK };

/* The same numbers as bytes and as values; features of ranges too different for a byte table. */
static struct {
    uint8_t bytes[COUNT * FEATURES];
    float values[COUNT * FEATURES];
    int32_t label[COUNT];
    struct encoder encoder;
    struct encoding encoding;
    struct arena arena;
    struct pattern of_bytes, of_values;
} f;

static void set_up(void)
{
    float x_min[FEATURES], x_max[FEATURES];
    struct random random;
    random_init(&random, 5);
    for (size_t i = 0; i < COUNT * FEATURES; i++) {
        f.bytes[i] = (uint8_t)(random_uniform(&random) * 256);
        f.values[i] = f.bytes[i];
    }
    for (size_t i = 0; i < FEATURES; i++) {
        x_min[i] = -(float)i;
        x_max[i] = 256 + (float)(i % 7);
    }
    for (size_t b = 0; b < COUNT; b++)
        f.label[b] = (int32_t)(b % OUTPUTS);
    f.encoder.type = ENCODER_GAUSSIAN_TUNING;
    ck_assert_int_eq(gaussian_tuning_init(&f.encoder.gaussian_tuning, FEATURES, 5, x_min, x_max, T),
                     CORE_OK);
    ck_assert_int_eq(encoding_init(&f.encoding, &f.encoder, T - 1), CORE_OK);
    ck_assert(!encoding_takes_bytes(&f.encoding));
    pattern_init(&f.of_bytes, CAPACITY, T - 1, &f.arena);
    pattern_init(&f.of_values, CAPACITY, T - 1, &f.arena);
}

static void tear_down(void)
{
    encoding_finish(&f.encoding);
    encoder_finish(&f.encoder);
    arena_finish(&f.arena);
}

static void expect_same_pattern(void)
{
    ck_assert_uint_gt(f.of_values.count, 0);
    ck_assert_uint_eq(f.of_bytes.count, f.of_values.count);
    ck_assert_mem_eq(f.of_bytes.afferent, f.of_values.afferent,
                     f.of_values.count * sizeof *f.of_values.afferent);
    ck_assert_mem_eq(f.of_bytes.time, f.of_values.time,
                     f.of_values.count * sizeof *f.of_values.time);
    ck_assert_int_eq(f.of_bytes.fired, f.of_values.fired);
}

START_TEST(bytes_without_a_table_fire_the_spikes_of_their_values)
{
    struct samples bytes = view_bytes(COUNT, FEATURES, f.bytes, NULL);
    const struct samples values = view_values(SAMPLES_VALUES, COUNT, FEATURES, f.values, NULL);
    samples_suit(&bytes, &f.encoding);
    ck_assert_int_eq(bytes.kind, SAMPLES_BYTES);
    ck_assert_uint_le(samples_capacity(&bytes, &f.encoding), CAPACITY);
    for (size_t b = 0; b < COUNT; b++) {
        samples_pattern(&bytes, &f.encoding, b, &f.of_bytes);
        samples_pattern(&values, &f.encoding, b, &f.of_values);
        expect_same_pattern();
    }
}
END_TEST

START_TEST(bytes_are_spike_times)
{
    struct samples bytes = view_bytes(COUNT, FEATURES, f.bytes, NULL);
    const struct samples times = view_values(SAMPLES_SPIKE_TIMES, COUNT, FEATURES, f.values, NULL);
    bytes.kind = SAMPLES_BYTE_TIMES;
    ck_assert(!samples_are_encoded(&bytes));
    for (size_t b = 0; b < COUNT; b++) {
        samples_pattern(&bytes, NULL, b, &f.of_bytes);
        samples_pattern(&times, NULL, b, &f.of_values);
        expect_same_pattern();
    }
}
END_TEST

/* The weights that are trained on some samples and validated on others. */
static float *train(const struct samples *training, const struct samples *validation)
{
    const struct tempotron_params shape = {CLOCK_GRID, FEATURES, OUTPUTS, T, 15, 3.75, 1};
    const struct network_params params = network_params_of(&shape);
    const struct training_params how = {
        .loop = {.epochs = 4,
                 .batch_size = 3,
                 .schedule = {.learning_rate = 0.01},
                 .shuffle = true,
                 .seed = 9,
                 .patience = 2},
        .input_dropout = 0.3,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    };
    struct network *network;
    float *weight = malloc(FEATURES * OUTPUTS * sizeof *weight);
    ck_assert_ptr_nonnull(weight);
    network_draw_weight(&params, 0, 3, weight);
    ck_assert_int_eq(network_create(&params, (const float *[]){weight}, &network), CORE_OK);
    ck_assert_int_eq(network_train(network, training, validation, NULL, &how, NULL, NULL), CORE_OK);
    layer_weight(&network->layers[0], weight);
    network_destroy(network);
    return weight;
}

START_TEST(a_view_trains_to_the_bits_of_a_copy)
{
    enum { ASIDE = 4, REST = COUNT - ASIDE };
    static float copied[COUNT * FEATURES];
    int32_t label[COUNT];
    const struct samples all = view_values(SAMPLES_SPIKE_TIMES, COUNT, FEATURES, f.values, f.label);
    uint32_t *rows = samples_shuffled(COUNT, 9, NULL);
    ck_assert_ptr_nonnull(rows);
    for (size_t i = 0; i < COUNT; i++) {
        label[i] = f.label[rows[i]];
        memcpy(copied + i * FEATURES, f.values + rows[i] * FEATURES, FEATURES * sizeof *copied);
    }
    const struct samples aside = samples_view(&all, rows, ASIDE);
    const struct samples rest = samples_view(&all, rows + ASIDE, REST);
    const struct samples aside_copy =
        view_values(SAMPLES_SPIKE_TIMES, ASIDE, FEATURES, copied, label);
    const struct samples rest_copy =
        view_values(SAMPLES_SPIKE_TIMES, REST, FEATURES, copied + ASIDE * FEATURES, label + ASIDE);
    float *by_view = train(&rest, &aside), *by_copy = train(&rest_copy, &aside_copy);
    ck_assert_mem_eq(by_view, by_copy, FEATURES * OUTPUTS * sizeof *by_view);
    free(by_view);
    free(by_copy);
    free(rows);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("samples");
    TCase *tests = suite_case(suite, "samples", set_up, tear_down, 10);
    tcase_add_test(tests, bytes_without_a_table_fire_the_spikes_of_their_values);
    tcase_add_test(tests, bytes_are_spike_times);
    tcase_add_test(tests, a_view_trains_to_the_bits_of_a_copy);
    return suite_run(suite);
}
