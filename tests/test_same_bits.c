/* Training gives the same bits, however it is computed: alone or by a crew, in parts, from bytes or
 * from values. */
#include <check.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hands.h"
#include "random.h"
#include "suite.h"
#include "trained.h"
#include "training.h"

enum { PIXELS = 150, PICTURES = 140, PICTURE_CLASSES = 11 };

/* Random pictures, as bytes and as floats, whose encoder has several ranges. */
struct pictures {
    uint8_t bytes[PICTURES * PIXELS];
    float values[PICTURES * PIXELS];
    int32_t label[PICTURES];
    struct encoder encoder;
    struct byte_table table;
    struct sample_set as_bytes;
    struct sample_set as_values;
};

static const struct tempotron_params picture_shape = {
    CLOCK_GRID, PIXELS * 8, PICTURE_CLASSES, 60, 15, 3.75, 1};

static void pictures_draw(struct pictures *pictures)
{
    struct random random;
    float x_min[PIXELS], x_max[PIXELS];
    random_init(&random, 11);
    memset(pictures, 0, sizeof *pictures);
    for (size_t i = 0; i < PICTURES * PIXELS; i++) {
        const uint32_t bits = random_bits(&random);
        pictures->bytes[i] = bits % 3 == 0 ? 0 : (uint8_t)(bits >> 8);
        pictures->values[i] = (float)pictures->bytes[i];
    }
    for (size_t i = 0; i < PICTURES; i++)
        pictures->label[i] = (int32_t)(random_bits(&random) % PICTURE_CLASSES);
    for (size_t i = 0; i < PIXELS; i++) {
        x_min[i] = (float)(i % 3);
        x_max[i] = 255 - (float)(i % 5);
    }
    /* some spikes are later than T */
    ck_assert_int_eq(
        gaussian_tuning_init(&pictures->encoder.gaussian_tuning, PIXELS, 8, x_min, x_max, 70),
        CORE_OK);
    ck_assert(byte_table_fits(&pictures->encoder));
    ck_assert_int_eq(
        byte_table_init(&pictures->table, &pictures->encoder, tempotron_last(&picture_shape)),
        CORE_OK);
    pictures->as_values = (struct sample_set){.kind = SAMPLE_VALUES,
                                              .count = PICTURES,
                                              .features = PIXELS,
                                              .label = pictures->label,
                                              .encoder = &pictures->encoder,
                                              .values = pictures->values};
    pictures->as_bytes = pictures->as_values;
    pictures->as_bytes.kind = SAMPLE_BYTES;
    pictures->as_bytes.table = &pictures->table;
    pictures->as_bytes.bytes = pictures->bytes;
}

static void pictures_finish(struct pictures *pictures)
{
    byte_table_finish(&pictures->table);
    encoder_finish(&pictures->encoder);
}

static struct tempotron *train_pictures(const struct sample_set *set, enum tempotron_clock clock,
                                        const struct crew *crew, double *ret_loss)
{
    struct tempotron *tempotron;
    struct tempotron_params shape = picture_shape;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    const struct training_params params = {
        .epochs = 3,
        .batch_size = 120,
        .schedule = {SCHEDULE_COSINE, 0.01, 1},
        .optimizer = OPTIMIZER_ADAM,
        .weight_decay = 0.1,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
        .shuffle = true,
    };
    float *weight = malloc(shape.in_features * shape.out_features * sizeof *weight);
    shape.clock = clock;
    tempotron_draw_weight(3, shape.in_features, shape.out_features, weight);
    ck_assert_int_eq(tempotron_create(&shape, weight, &tempotron), CORE_OK);
    ck_assert_int_eq(tempotron_train(tempotron, set, set, &params, &observer, crew), CORE_OK);
    ck_assert_uint_eq(last.epochs, 3);
    *ret_loss = last.epoch.loss + last.epoch.validation_loss;
    free(weight);
    return tempotron;
}

START_TEST(any_crew_gives_the_same_bits)
{
    const unsigned sizes[] = {2, 3, 8};
    const enum tempotron_clock clock = _i == 0 ? CLOCK_GRID : CLOCK_CONTINUOUS;
    struct pictures pictures;
    double alone_loss, loss;
    pictures_draw(&pictures);
    struct tempotron *alone = train_pictures(&pictures.as_values, clock, NULL, &alone_loss);
    for (size_t i = 0; i < 3; i++) {
        struct hands *hands = hands_create(sizes[i]);
        ck_assert_ptr_nonnull(hands);
        ck_assert_uint_eq(hands_crew(hands)->size, sizes[i]);
        struct tempotron *shared =
            train_pictures(&pictures.as_values, clock, hands_crew(hands), &loss);
        ck_assert(same_weights(alone, shared));
        ck_assert_double_eq(alone_loss, loss);
        tempotron_destroy(shared);
        hands_destroy(hands);
    }
    tempotron_destroy(alone);
    pictures_finish(&pictures);
}
END_TEST

/* Every part once, whatever the number of parts, and however long the hands have slept. */
static void count_part(void *work, size_t part)
{
    atomic_fetch_add(&((atomic_uint *)work)[part], 1);
}

START_TEST(hands_take_every_part_once)
{
    enum { PARTS = 7, TASKS = 300 };
    atomic_uint counts[PARTS] = {0};
    unsigned expected = 0;
    struct hands *hands = hands_create(3);
    ck_assert_ptr_nonnull(hands);
    for (unsigned task = 0; task < TASKS; task++) {
        const struct timespec nap = {.tv_nsec = 1000000}; /* long enough for the hands to sleep */
        if (task % 100 == 99)
            nanosleep(&nap, NULL);
        crew_run(hands_crew(hands), count_part, counts, PARTS);
        expected++;
        for (size_t part = 0; part < PARTS; part++)
            ck_assert_uint_eq(atomic_load(&counts[part]), expected);
    }
    hands_destroy(hands);
}
END_TEST

/* A grid so long that few samples of a batch fit into memory at once: the step is that of the mean
 * of the gradients all the same. */
START_TEST(a_batch_may_be_worked_through_in_parts)
{
    enum { BATCH = 30, LONG = 20000, AFFERENTS = 3 };
    const struct tempotron_params shape = {CLOCK_GRID, AFFERENTS, 2, LONG, 15, 3.75, 1};
    const struct training_params params = {
        .epochs = 1,
        .batch_size = BATCH,
        .schedule = {.learning_rate = 0.1},
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    };
    float weight[] = {0.5f, 0.2f, -0.1f, 0.3f, 0.4f, 0.1f}, start[6], whole[6], part[6];
    float times[BATCH * AFFERENTS];
    int32_t label[BATCH];
    double mean[6] = {0};
    struct random random;
    struct tempotron *tempotron;
    random_init(&random, 4);
    for (size_t i = 0; i < BATCH * AFFERENTS; i++)
        times[i] = floorf(random_uniform(&random) * 100);
    for (size_t i = 0; i < BATCH; i++)
        label[i] = (int32_t)(i % 2);
    struct sample_set set = {.kind = SAMPLE_SPIKE_TIMES,
                             .count = BATCH,
                             .features = AFFERENTS,
                             .label = label,
                             .values = times};
    memcpy(start, weight, sizeof start);
    ck_assert_int_eq(tempotron_create(&shape, weight, &tempotron), CORE_OK);
    ck_assert_int_eq(tempotron_train(tempotron, &set, NULL, &params, NULL, NULL), CORE_OK);
    tempotron_weight(tempotron, whole);
    tempotron_destroy(tempotron);
    for (size_t b = 0; b < BATCH; b++) {
        set.count = 1;
        set.label = label + b;
        set.values = times + b * AFFERENTS;
        ck_assert_int_eq(tempotron_create(&shape, weight, &tempotron), CORE_OK);
        ck_assert_int_eq(tempotron_train(tempotron, &set, NULL, &params, NULL, NULL), CORE_OK);
        tempotron_weight(tempotron, part);
        tempotron_destroy(tempotron);
        for (size_t i = 0; i < 6; i++)
            mean[i] += (double)(part[i] - start[i]) / BATCH;
    }
    for (size_t i = 0; i < 6; i++)
        ck_assert_double_eq_tol((double)(whole[i] - start[i]), mean[i], 1e-5);
}
END_TEST

START_TEST(bytes_give_the_same_bits_as_values)
{
    struct pictures pictures;
    double loss, other_loss;
    pictures_draw(&pictures);
    struct tempotron *values = train_pictures(&pictures.as_values, CLOCK_GRID, NULL, &loss);
    struct tempotron *bytes = train_pictures(&pictures.as_bytes, CLOCK_GRID, NULL, &other_loss);
    ck_assert(same_weights(values, bytes));
    ck_assert_double_eq(loss, other_loss);
    tempotron_destroy(values);
    tempotron_destroy(bytes);
    pictures_finish(&pictures);
}
END_TEST

/* T ends before any neuron fires: nothing has an effect, but something did fire. */
START_TEST(a_byte_that_fires_too_late_has_fired)
{
    struct pictures pictures;
    struct byte_table table;
    struct pattern pattern;
    uint8_t values[PIXELS];
    pictures_draw(&pictures);
    ck_assert_int_eq(byte_table_init(&table, &pictures.encoder, 0), CORE_OK);
    ck_assert_int_eq(pattern_init(&pattern, PIXELS * PATTERN_SLACK, 0), CORE_OK);
    memset(values, 100, sizeof values);
    byte_table_encode(&table, NULL, values, &pattern);
    ck_assert_uint_eq(pattern.count, 0);
    ck_assert(pattern.fired);
    pattern_finish(&pattern);
    byte_table_finish(&table);
    pictures_finish(&pictures);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("same_bits");
    TCase *tests = tcase_create("same_bits");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_crew_gives_the_same_bits, 0, 2);
    tcase_add_test(tests, hands_take_every_part_once);
    tcase_add_test(tests, a_batch_may_be_worked_through_in_parts);
    tcase_add_test(tests, bytes_give_the_same_bits_as_values);
    tcase_add_test(tests, a_byte_that_fires_too_late_has_fired);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
