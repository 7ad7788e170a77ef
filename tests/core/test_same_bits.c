/* Training gives the same bits, however it is computed: alone or by a team, in parts, from bytes or
 * from values. */
#include <check.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/random.h"
#include "core/training.h"
#include "server/base/team_threads.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

enum { PIXELS = 150, PICTURES = 140, PICTURE_CLASSES = 11 };

/* Random pictures, as bytes and as floats, whose encoder has several ranges. */
struct pictures {
    uint8_t bytes[PICTURES * PIXELS];
    float values[PICTURES * PIXELS];
    int32_t label[PICTURES];
    struct encoder encoder;
    struct encoding encoding;
    struct samples as_bytes;
    struct samples as_values;
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
        encoding_init(&pictures->encoding, &pictures->encoder, tempotron_last(&picture_shape)),
        CORE_OK);
    pictures->as_values =
        view_values(SAMPLES_VALUES, PICTURES, PIXELS, pictures->values, pictures->label);
    pictures->as_bytes = view_bytes(PICTURES, PIXELS, pictures->bytes, pictures->label);
}

static void pictures_finish(struct pictures *pictures)
{
    encoding_finish(&pictures->encoding);
    encoder_finish(&pictures->encoder);
}

static struct network *train_pictures(const struct pictures *pictures, const struct samples *set,
                                      enum tempotron_clock clock, const struct thread_team *team,
                                      double *ret_loss)
{
    struct tempotron_params shape = picture_shape;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    const struct training_params params = {
        .loop = {.epochs = 3,
                 .batch_size = 120,
                 .schedule = {SCHEDULE_COSINE, 0.01, 1},
                 .shuffle = true},
        .optimizer = OPTIMIZER_ADAM,
        .weight_decay = 0.1,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    };
    float *weight = malloc(shape.in_features * shape.out_features * sizeof *weight);
    shape.clock = clock;
    tempotron_draw_weight(3, shape.in_features, shape.out_features, weight);
    struct network *network = single_layer(&shape, weight);
    ck_assert_int_eq(
        network_train(network, set, set, &pictures->encoding, &params, &observer, team), CORE_OK);
    ck_assert_uint_eq(last.epochs, 3);
    *ret_loss = last.epoch.loss + last.epoch.validation_loss;
    free(weight);
    return network;
}

/* Hands that never work at the same time, but in an order as chance might have it. */
enum { PARTS_IN_TURN = 3 };

static void run_forwards(void *context, thread_team_task *task, void *work, size_t parts)
{
    (void)context;
    for (size_t part = 0; part < parts; part++)
        task(work, part);
}

static void run_backwards(void *context, thread_team_task *task, void *work, size_t parts)
{
    (void)context;
    for (size_t part = parts; part-- > 0;)
        task(work, part);
}

static const struct thread_team in_turn[] = {{.size = PARTS_IN_TURN, .run_parts = run_forwards},
                                             {.size = PARTS_IN_TURN, .run_parts = run_backwards}};

START_TEST(any_thread_team_gives_the_same_bits)
{
    const unsigned sizes[] = {2, 3, 8};
    const enum tempotron_clock clock = _i == 0 ? CLOCK_GRID : CLOCK_CONTINUOUS;
    struct pictures pictures;
    double alone_loss, loss;
    pictures_draw(&pictures);
    struct network *alone =
        train_pictures(&pictures, &pictures.as_values, clock, NULL, &alone_loss);
    for (size_t i = 0; i < 2; i++) {
        struct network *shared =
            train_pictures(&pictures, &pictures.as_values, clock, &in_turn[i], &loss);
        ck_assert(same_weights(alone, shared));
        ck_assert_double_eq(alone_loss, loss);
        network_destroy(shared);
    }
    for (size_t i = 0; i < 3; i++) {
        struct thread_team *team = team_threads_create(sizes[i]);
        ck_assert_ptr_nonnull(team);
        ck_assert_uint_eq(team->size, sizes[i]);
        struct network *shared = train_pictures(&pictures, &pictures.as_values, clock, team, &loss);
        ck_assert(same_weights(alone, shared));
        ck_assert_double_eq(alone_loss, loss);
        network_destroy(shared);
        team_threads_destroy(team);
    }
    network_destroy(alone);
    pictures_finish(&pictures);
}
END_TEST

/* --- the same with all that a network may have --- */

static const struct network_params deep_shapes[] = {
    {.tempotron = {CLOCK_GRID, PIXELS * 8, 3 * PICTURE_CLASSES, 60, 15, 3.75, 1},
     .hidden_count = 2,
     .hidden = {70, 33},
     .read_out.v_max = {3, 5}},
    {.tempotron = {CLOCK_CONTINUOUS, PIXELS * 8, 3 * PICTURE_CLASSES, 60, 15, 3.75, 1},
     .hidden_count = 2,
     .hidden = {70, 33},
     .read_out.v_max = {3, 5}},
    {.tempotron = {CLOCK_GRID, PIXELS * 8, PICTURE_CLASSES, 60, 15, 3.75, 1},
     .hidden_count = 1,
     .hidden = {70},
     .hidden_spike = HIDDEN_PEAK,
     .read_out.v_max = {1, 5}},
};
enum { DEEP_SHAPES = sizeof deep_shapes / sizeof *deep_shapes };

static struct network *deep_network(const struct network_params *shape)
{
    float *weight[NETWORK_LAYERS];
    const float *given[NETWORK_LAYERS];
    struct network *network;
    for (size_t l = 0; l < network_depth(shape); l++) {
        given[l] = weight[l] =
            malloc(network_neurons(shape, l) * network_afferents(shape, l) * sizeof(float));
        network_draw_weight(shape, l, 3, weight[l]);
    }
    ck_assert_int_eq(network_create(shape, given, &network), CORE_OK);
    for (size_t l = 0; l < network_depth(shape); l++)
        free(weight[l]);
    return network;
}

static struct network *train_deep(const struct network_params *shape, double max_grad_norm,
                                  const struct pictures *pictures, const struct samples *set,
                                  const struct thread_team *team, double *ret_loss)
{
    struct network *network = deep_network(shape);
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    const struct training_params params = {
        .loop = {.epochs = 2,
                 .batch_size = 60,
                 .schedule = {SCHEDULE_COSINE, 0.01, 1},
                 .shuffle = true,
                 .seed = 4},
        .optimizer = OPTIMIZER_ADAM,
        .weight_decay = 0.1,
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
        .input_dropout = 0.15,
        .dropout = 0.2,
        .silence_cost = 1e-4,
        .slope_floor = 4,
        .max_grad_norm = max_grad_norm,
        .augmentation = {.shift = 2, .height = 10, .width = 15},
    };
    ck_assert_int_eq(
        network_train(network, set, set, &pictures->encoding, &params, &observer, team), CORE_OK);
    *ret_loss = last.epoch.loss + last.epoch.validation_loss;
    return network;
}

static void expect_same_training(const struct network_params *shape, double max_grad_norm,
                                 const struct pictures *pictures, const struct samples *set,
                                 const struct thread_team *team, const struct network *alone,
                                 double alone_loss)
{
    double loss;
    struct network *shared = train_deep(shape, max_grad_norm, pictures, set, team, &loss);
    ck_assert(same_weights(alone, shared));
    ck_assert_double_eq(alone_loss, loss);
    network_destroy(shared);
}

START_TEST(any_thread_team_gives_hidden_layers_the_same_bits)
{
    const struct network_params *shape = &deep_shapes[_i / 2];
    const double max_grad_norm = _i % 2 == 0 ? 0.5 : 0;
    struct pictures pictures;
    double loss;
    pictures_draw(&pictures);
    const struct samples *set = &pictures.as_values;
    struct network *start = deep_network(shape);
    struct network *alone = train_deep(shape, max_grad_norm, &pictures, set, NULL, &loss);
    for (size_t l = 0; l < alone->depth; l++) /* every layer did learn */
        ck_assert_float_ne(start->layers[l].blocks[0]->weight[0],
                           alone->layers[l].blocks[0]->weight[0]);
    for (size_t i = 0; i < 2; i++)
        expect_same_training(shape, max_grad_norm, &pictures, set, &in_turn[i], alone, loss);
    for (unsigned size = 1; size <= 8; size = 2 * size + 1) {
        struct thread_team *team = team_threads_create(size);
        ck_assert_ptr_nonnull(team);
        expect_same_training(shape, max_grad_norm, &pictures, set, team, alone, loss);
        team_threads_destroy(team);
    }
    network_destroy(alone);
    network_destroy(start);
    pictures_finish(&pictures);
}
END_TEST

START_TEST(bytes_give_the_same_bits_as_values_to_hidden_layers)
{
    struct pictures pictures;
    double loss, other_loss;
    pictures_draw(&pictures);
    encoding_finish(&pictures.encoding); /* a last spike counts on one clock, not on the other */
    ck_assert_int_eq(encoding_init(&pictures.encoding, &pictures.encoder,
                                   tempotron_last(&deep_shapes[_i].tempotron)),
                     CORE_OK);
    struct network *values =
        train_deep(&deep_shapes[_i], 0.5, &pictures, &pictures.as_values, NULL, &loss);
    struct network *bytes =
        train_deep(&deep_shapes[_i], 0.5, &pictures, &pictures.as_bytes, NULL, &other_loss);
    ck_assert(same_weights(values, bytes));
    ck_assert_double_eq_tol(loss, other_loss, 1e-4); /* validations add the rest otherwise */
    network_destroy(values);
    network_destroy(bytes);
    pictures_finish(&pictures);
}
END_TEST

/* Every part once, whatever the number of parts, and however long the team have slept. */
static void count_part(void *work, size_t part)
{
    atomic_fetch_add(&((atomic_uint *)work)[part], 1);
}

START_TEST(threads_take_every_part_once)
{
    enum { PARTS = 7, TASKS = 300 };
    atomic_uint counts[PARTS] = {0};
    unsigned expected = 0;
    struct thread_team *team = team_threads_create(3);
    ck_assert_ptr_nonnull(team);
    for (unsigned task = 0; task < TASKS; task++) {
        const struct timespec nap = {.tv_nsec = 1000000}; /* long enough for the team to sleep */
        if (task % 100 == 99)
            nanosleep(&nap, NULL);
        thread_team_run(team, count_part, counts, PARTS);
        expected++;
        for (size_t part = 0; part < PARTS; part++)
            ck_assert_uint_eq(atomic_load(&counts[part]), expected);
    }
    team_threads_destroy(team);
}
END_TEST

/* Weights after one epoch, less those before it. */
static void train_step(const struct tempotron_params *shape, const struct samples *set,
                       const struct training_params *params, float *ret_step)
{
    const size_t count = shape->in_features * shape->out_features;
    float *weight = calloc(count, sizeof *weight);
    for (size_t i = 0; i < count; i++)
        weight[i] = 0.1f * (float)(i % 7 + 1);
    struct network *network = single_layer(shape, weight);
    ck_assert_int_eq(network_train(network, set, NULL, NULL, params, NULL, NULL), CORE_OK);
    single_layer_weight(network, ret_step);
    for (size_t i = 0; i < count; i++)
        ret_step[i] -= weight[i];
    network_destroy(network);
    free(weight);
}

/* So many afferents, of which few spike, that not all samples of a batch find room in memory at
 * once: the step is that of the mean of the gradients all the same. */
START_TEST(a_batch_may_be_worked_through_in_parts)
{
    enum { BATCH = 30, AFFERENTS = 60000, SPIKING = 20000, OUTPUTS = 2 };
    const struct tempotron_params shape = {CLOCK_GRID, AFFERENTS, OUTPUTS, 120, 15, 3.75, 1};
    const struct training_params params = {
        .loop = {.epochs = 1, .batch_size = BATCH, .schedule = {.learning_rate = 0.1}},
        .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
    };
    static float whole[OUTPUTS * AFFERENTS], part[OUTPUTS * AFFERENTS], times[BATCH * AFFERENTS];
    static double mean[OUTPUTS * AFFERENTS];
    int32_t label[BATCH];
    struct random random;
    random_init(&random, 4);
    for (size_t i = 0; i < BATCH * AFFERENTS; i++)
        times[i] = i % SPIKING == 0 ? floorf(random_uniform(&random) * 100) : -1;
    for (size_t i = 0; i < BATCH; i++)
        label[i] = (int32_t)(i % 2);
    struct samples set = view_values(SAMPLES_SPIKE_TIMES, BATCH, AFFERENTS, times, label);
    train_step(&shape, &set, &params, whole);
    for (size_t b = 0; b < BATCH; b++) {
        set.count = 1;
        set.targets.label = label + b;
        set.data.values = times + b * AFFERENTS;
        train_step(&shape, &set, &params, part);
        for (size_t i = 0; i < OUTPUTS * AFFERENTS; i++)
            mean[i] += (double)part[i] / BATCH;
    }
    for (size_t i = 0; i < OUTPUTS * AFFERENTS; i++)
        if (fabs((double)whole[i] - mean[i]) > 1e-6)
            ck_abort_msg("weight %zu steps by %g, not %g", i, (double)whole[i], mean[i]);
    ck_assert_float_gt(fabsf(whole[0]), 1e-3f);
}
END_TEST

START_TEST(bytes_give_the_same_bits_as_values)
{
    struct pictures pictures;
    double loss, other_loss;
    pictures_draw(&pictures);
    struct network *values =
        train_pictures(&pictures, &pictures.as_values, CLOCK_GRID, NULL, &loss);
    struct network *bytes =
        train_pictures(&pictures, &pictures.as_bytes, CLOCK_GRID, NULL, &other_loss);
    ck_assert(same_weights(values, bytes));
    ck_assert_double_eq(loss, other_loss);
    network_destroy(values);
    network_destroy(bytes);
    pictures_finish(&pictures);
}
END_TEST

/* T ends before any neuron fires: nothing has an effect, but something did fire. */
START_TEST(a_byte_that_fires_too_late_has_fired)
{
    struct arena arena = {0};
    struct pictures pictures;
    struct byte_table table;
    struct pattern pattern;
    uint8_t values[PIXELS];
    pictures_draw(&pictures);
    byte_table_init(&table, &pictures.encoder, 0, &arena);
    pattern_init(&pattern, PIXELS * PATTERN_SLACK, 0, &arena);
    memset(values, 100, sizeof values);
    byte_table_encode(&table, NULL, values, &pattern);
    ck_assert_uint_eq(pattern.count, 0);
    ck_assert(pattern.fired);
    arena_finish(&arena);
    pictures_finish(&pictures);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("same_bits");
    TCase *tests = tcase_create("same_bits");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_thread_team_gives_the_same_bits, 0, 2);
    tcase_add_loop_test(tests, any_thread_team_gives_hidden_layers_the_same_bits, 0,
                        2 * DEEP_SHAPES);
    tcase_add_loop_test(tests, bytes_give_the_same_bits_as_values_to_hidden_layers, 0, DEEP_SHAPES);
    tcase_add_test(tests, threads_take_every_part_once);
    tcase_add_test(tests, a_batch_may_be_worked_through_in_parts);
    tcase_add_test(tests, bytes_give_the_same_bits_as_values);
    tcase_add_test(tests, a_byte_that_fires_too_late_has_fired);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
