/* The public library (core/libtempotron.h): its answers are the core's, and arguments that are
 * outside their bounds are refused. tests/library/ uses the installed archive. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/encoder.h"
#include "core/libtempotron.h"
#include "core/psp_kernel.h"
#include "core/random.h"
#include "core/tempotron.h"
#include "tests/support/suite.h"

enum { IN = 20, OUT = 3, SAMPLES = 12, T = 100 };

static float in_spikes[SAMPLES * IN];
static int32_t label[SAMPLES];

static struct tempotron_samples drawn_samples(void)
{
    struct random random;
    random_init(&random, 7);
    for (size_t i = 0; i < SAMPLES * IN; i++)
        in_spikes[i] = 100 * random_uniform(&random) - 20;
    for (size_t b = 0; b < SAMPLES; b++)
        label[b] = (int32_t)(b % OUT);
    return (struct tempotron_samples){.count = SAMPLES, .in_spikes = in_spikes, .label = label};
}

static struct tempotron_model *create(const struct tempotron_model_params *params,
                                      const float *const *weight)
{
    struct tempotron_model *model;
    ck_assert_int_eq(tempotron_model_create(params, weight, &model), TEMPOTRON_OK);
    return model;
}

static struct tempotron_model *default_model(void)
{
    const struct tempotron_model_params params = tempotron_model_defaults(IN, OUT);
    return create(&params, NULL);
}

static void copy_weight(const struct tempotron_model *model, float weight[OUT * IN])
{
    tempotron_model_weight(model, 0, weight);
}

START_TEST(weights_are_drawn_as_torch_draws_them)
{
    float drawn[OUT * IN], weight[OUT * IN];
    struct tempotron_model_params params = tempotron_model_defaults(IN, OUT);
    params.seed = 5;
    struct tempotron_model *model = create(&params, NULL);
    tempotron_draw_weight(5, IN, OUT, drawn);
    copy_weight(model, weight);
    ck_assert_mem_eq(weight, drawn, sizeof weight);
    tempotron_model_destroy(model);
}
END_TEST

/* The voltage of one spike of weight 1 is the kernel, scaled so that its peak is v_threshold. */
START_TEST(a_prediction_gives_label_peak_time_and_voltage)
{
    const float weight[2] = {1.5f, 0.5f}, *const weights[] = {weight}, spike[2] = {10, -1};
    const struct tempotron_samples samples = {.count = 2, .in_spikes = spike};
    struct tempotron_model_params params = tempotron_model_defaults(1, 2);
    struct tempotron_model *model = create(&params, weights);
    int32_t decided[2];
    float v_max[4], spikes[4], v[4 * T];
    const struct tempotron_prediction prediction = {decided, v_max, spikes, v};
    struct psp psp;
    psp_init(&psp, 15, 3.75, 1);
    ck_assert_int_eq(tempotron_predict(model, &samples, &prediction), TEMPOTRON_OK);
    ck_assert_int_eq(decided[0], 0);
    ck_assert_int_eq(decided[1], -1);
    for (int t = 0; t < T; t++) {
        ck_assert_float_eq_tol(v[t], (float)(1.5 * psp_value(&psp, t - 10)), 1e-6f);
        ck_assert_float_eq_tol(v[T + t], (float)(0.5 * psp_value(&psp, t - 10)), 1e-6f);
        ck_assert_float_eq(v[2 * T + t], 0);
    }
    ck_assert_float_eq(v_max[0], v[17]); /* t_peak is 6.93 */
    ck_assert_float_eq(spikes[0], 17);
    ck_assert_float_eq(spikes[1], -1);
    ck_assert_float_eq(v_max[2], 0);
    tempotron_model_destroy(model);
}
END_TEST

START_TEST(spike_trains_of_single_spikes_are_spike_times)
{
    uint32_t spikes[SAMPLES * IN];
    float times[SAMPLES * IN], v_max[2][SAMPLES * OUT];
    const struct tempotron_samples samples = drawn_samples();
    size_t count = 0;
    for (size_t i = 0; i < SAMPLES * IN; i++) {
        spikes[i] = in_spikes[i] >= 0;
        if (spikes[i] > 0)
            times[count++] = in_spikes[i];
    }
    const struct tempotron_samples trains = {.count = SAMPLES, .spikes = spikes, .times = times};
    struct tempotron_model_params params = tempotron_model_defaults(IN, OUT);
    for (int clock = 0; clock < 2; clock++) {
        params.clock = (enum tempotron_clock_type)clock;
        struct tempotron_model *model = create(&params, NULL);
        for (int i = 0; i < 2; i++) {
            const struct tempotron_prediction prediction = {.v_max = v_max[i]};
            ck_assert_int_eq(tempotron_predict(model, i == 0 ? &samples : &trains, &prediction),
                             TEMPOTRON_OK);
        }
        ck_assert_mem_eq(v_max[0], v_max[1], sizeof v_max[0]);
        tempotron_model_destroy(model);
    }
}
END_TEST

START_TEST(encoders_give_the_spike_times_of_the_core)
{
    const float x_min[2] = {0, -1}, x_max[2] = {1, 3}, x[4] = {0.3f, 2, 1, -1};
    float spikes[4 * 5], expected[5];
    struct tempotron_encoder *encoder;
    struct encoder core = {.type = ENCODER_GAUSSIAN_TUNING};
    ck_assert_int_eq(tempotron_encoder_gaussian_tuning(2, 5, x_min, x_max, 50, &encoder),
                     TEMPOTRON_OK);
    ck_assert_uint_eq(tempotron_encoder_afferents(encoder), 10);
    tempotron_encode(encoder, x, 2, spikes);
    ck_assert_int_eq(gaussian_tuning_init(&core.gaussian_tuning, 2, 5, x_min, x_max, 50), CORE_OK);
    for (size_t i = 0; i < 4; i++) {
        encoder_encode_value(&core, i % 2, x[i], expected);
        ck_assert_mem_eq(spikes + 5 * i, expected, sizeof expected);
    }
    encoder_finish(&core);
    tempotron_encoder_destroy(encoder);

    ck_assert_int_eq(tempotron_encoder_latency(2, x_min, x_max, 50, &encoder), TEMPOTRON_OK);
    ck_assert_uint_eq(tempotron_encoder_afferents(encoder), 2);
    tempotron_encode(encoder, x, 2, spikes);
    ck_assert_float_eq(spikes[0], 34); /* rint(0.7 * 49) */
    ck_assert_float_eq(spikes[1], 12); /* rint(0.25 * 49) */
    ck_assert_float_eq(spikes[2], 0);
    ck_assert_float_eq(spikes[3], -1);
    tempotron_encoder_destroy(encoder);
}
END_TEST

/* Learns the drawn labels by heart, twice with the same bits. */
START_TEST(training_learns_and_the_same_seed_gives_the_same_bits)
{
    float weight[2][OUT * IN];
    int32_t decided[SAMPLES];
    const struct tempotron_samples samples = drawn_samples();
    struct tempotron_training training = tempotron_training_defaults();
    training.epochs = 300;
    for (int i = 0; i < 2; i++) {
        struct tempotron_model *model = default_model();
        const struct tempotron_prediction prediction = {.label = decided};
        ck_assert_int_eq(tempotron_train(model, &samples, NULL, &training), TEMPOTRON_OK);
        ck_assert_int_eq(tempotron_predict(model, &samples, &prediction), TEMPOTRON_OK);
        ck_assert_mem_eq(decided, label, sizeof label);
        copy_weight(model, weight[i]);
        tempotron_model_destroy(model);
    }
    ck_assert_mem_eq(weight[0], weight[1], sizeof weight[0]);
}
END_TEST

START_TEST(each_loss_has_weights_of_its_own)
{
    static const enum tempotron_loss_type losses[] = {
        TEMPOTRON_LOSS_MSE, TEMPOTRON_LOSS_CROSS_ENTROPY, TEMPOTRON_LOSS_TEMPOTRON};
    float weight[ROWS(losses)][OUT * IN];
    const struct tempotron_samples samples = drawn_samples();
    struct tempotron_training training = tempotron_training_defaults();
    training.epochs = 3;
    for (int i = 0; i < ROWS(losses); i++) {
        struct tempotron_model *model = default_model();
        training.loss = losses[i];
        ck_assert_int_eq(tempotron_train(model, &samples, NULL, &training), TEMPOTRON_OK);
        copy_weight(model, weight[i]);
        tempotron_model_destroy(model);
        for (int j = 0; j < i; j++)
            ck_assert_mem_ne(weight[i], weight[j], sizeof weight[i]);
    }
}
END_TEST

static int stop_after_three(void *context, size_t epoch, double loss, double accuracy)
{
    ck_assert(isfinite(loss) && accuracy >= 0 && accuracy <= 1);
    *(size_t *)context = epoch;
    return epoch == 3;
}

START_TEST(a_training_that_ends_early_leaves_the_model_as_it_was)
{
    size_t last = 0;
    float before[OUT * IN], after[OUT * IN];
    const struct tempotron_samples samples = drawn_samples();
    struct tempotron_model *model = default_model();
    struct tempotron_training training = tempotron_training_defaults();
    copy_weight(model, before);
    training.on_epoch = stop_after_three;
    training.context = &last;
    ck_assert_int_eq(tempotron_train(model, &samples, &samples, &training), TEMPOTRON_STOPPED);
    ck_assert_uint_eq(last, 3);
    training.on_epoch = NULL;
    training.adam = 0;
    training.learning_rate = 1e38;
    ck_assert_int_eq(tempotron_train(model, &samples, NULL, &training), TEMPOTRON_DIVERGED);
    copy_weight(model, after);
    ck_assert_mem_eq(after, before, sizeof before);
    tempotron_model_destroy(model);
}
END_TEST

START_TEST(models_outside_their_bounds_are_refused)
{
    struct tempotron_model *model = NULL;
    struct tempotron_model_params wrong[12];
    for (size_t i = 0; i < 12; i++)
        wrong[i] = tempotron_model_defaults(IN, OUT);
    wrong[0].in_features = 0;
    wrong[1].out_features = 0;
    wrong[2].T = 0;
    wrong[3].tau = 0;
    wrong[4].tau_s = -1;
    wrong[5].tau = wrong[5].tau_s;
    wrong[6].v_threshold = (double)NAN;
    wrong[7].tau = (double)INFINITY;
    wrong[8].hidden_count = TEMPOTRON_HIDDEN_LAYERS + 1;
    wrong[9].hidden_count = 1; /* of no neurons */
    wrong[10].hidden_count = 1;
    wrong[10].hidden[0] = 4;
    wrong[10].clock = TEMPOTRON_CLOCK_CONTINUOUS;
    wrong[11].T = SIZE_MAX;
    for (size_t i = 0; i < 12; i++)
        ck_assert_msg(tempotron_model_create(&wrong[i], NULL, &model) == TEMPOTRON_INVALID, "%zu",
                      i);
    ck_assert_ptr_null(model);
}
END_TEST

START_TEST(encoders_outside_their_bounds_are_refused)
{
    struct tempotron_encoder *encoder = NULL;
    const float zero = 0, one = 1, nan = NAN, huge = 3e38f, low = -3e38f;
    const struct {
        size_t n, m;
        const float *x_min, *x_max;
        uint32_t max_spike_time;
    } wrong[] = {
        {0, 5, &zero, &one, 50},
        {1, 2, &zero, &one, 50},
        {1, 5, &one, &one, 50},
        {1, 5, &nan, &one, 50},
        {1, 5, &low, &huge, 50},
        {1, 5, &zero, &one, 0},
        {1, 5, &zero, &one, (1 << 22) + 1},
        {1, SIZE_MAX, &zero, &one, 50},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(tempotron_encoder_gaussian_tuning(wrong[i].n, wrong[i].m, wrong[i].x_min,
                                                        wrong[i].x_max, wrong[i].max_spike_time,
                                                        &encoder) == TEMPOTRON_INVALID,
                      "%zu", i);
    ck_assert_int_eq(tempotron_encoder_latency(1, &one, &zero, 50, &encoder), TEMPOTRON_INVALID);
    ck_assert_ptr_null(encoder);
}
END_TEST

START_TEST(samples_and_parameters_outside_their_bounds_are_refused)
{
    const struct tempotron_samples samples = drawn_samples();
    struct tempotron_samples wrong[4] = {samples, samples, samples, samples};
    const struct tempotron_prediction nothing = {0};
    struct tempotron_training training = tempotron_training_defaults();
    struct tempotron_model *model = default_model();
    int32_t other[SAMPLES] = {OUT};
    wrong[0].count = 0;
    wrong[1].in_spikes = NULL;
    wrong[2].label = other;
    wrong[3].label = NULL; /* nothing to learn from */
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(tempotron_train(model, &wrong[i], NULL, &training), TEMPOTRON_INVALID);
        ck_assert_int_eq(tempotron_train(model, &samples, &wrong[i], &training), TEMPOTRON_INVALID);
        ck_assert_int_eq(tempotron_predict(model, &wrong[i], &nothing),
                         i == 3 ? TEMPOTRON_OK : TEMPOTRON_INVALID);
    }
    in_spikes[5] = NAN;
    ck_assert_int_eq(tempotron_predict(model, &samples, &nothing), TEMPOTRON_INVALID);
    in_spikes[5] = 1;
    training.learning_rate = 0;
    ck_assert_int_eq(tempotron_train(model, &samples, NULL, &training), TEMPOTRON_INVALID);
    training = tempotron_training_defaults();
    training.momentum = 1;
    ck_assert_int_eq(tempotron_train(model, &samples, NULL, &training), TEMPOTRON_INVALID);
    tempotron_model_destroy(model);
}
END_TEST

START_TEST(the_kernel_is_the_cores)
{
    ck_assert_double_eq(tempotron_psp_kernel(7, 15, 3.75), psp_kernel(7, 15, 3.75));
    ck_assert_double_eq(tempotron_psp_kernel(-1, 15, 3.75), 0);
    /* At its peak, 5 ln 4. */
    ck_assert_double_eq_tol(tempotron_psp_kernel(5 * log(4), 15, 3.75),
                            pow(4, -1.0 / 3) - pow(4, -4.0 / 3), 1e-12);
}
END_TEST

START_TEST(each_status_has_a_text_of_its_own)
{
    static const enum tempotron_status all[] = {TEMPOTRON_OK,        TEMPOTRON_INVALID,
                                                TEMPOTRON_NO_MEMORY, TEMPOTRON_DIVERGED,
                                                TEMPOTRON_STOPPED,   (enum tempotron_status)99};
    for (int i = 0; i < ROWS(all); i++)
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(tempotron_status_text(all[i]), tempotron_status_text(all[j]));
    ck_assert_str_eq(tempotron_status_text(TEMPOTRON_NO_MEMORY), "there is not enough memory");
    ck_assert_str_eq(tempotron_status_text((enum tempotron_status)99), "the status is unknown");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("library");
    TCase *tests = tcase_create("library");
    tcase_add_test(tests, weights_are_drawn_as_torch_draws_them);
    tcase_add_test(tests, a_prediction_gives_label_peak_time_and_voltage);
    tcase_add_test(tests, spike_trains_of_single_spikes_are_spike_times);
    tcase_add_test(tests, encoders_give_the_spike_times_of_the_core);
    tcase_add_test(tests, training_learns_and_the_same_seed_gives_the_same_bits);
    tcase_add_test(tests, each_loss_has_weights_of_its_own);
    tcase_add_test(tests, the_kernel_is_the_cores);
    tcase_add_test(tests, each_status_has_a_text_of_its_own);
    tcase_add_test(tests, a_training_that_ends_early_leaves_the_model_as_it_was);
    tcase_add_test(tests, models_outside_their_bounds_are_refused);
    tcase_add_test(tests, encoders_outside_their_bounds_are_refused);
    tcase_add_test(tests, samples_and_parameters_outside_their_bounds_are_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
