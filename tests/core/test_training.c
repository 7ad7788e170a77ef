/* Training: what it learns, reports and publishes, and when it ends. */
#include <check.h>
#include <time.h>

#include "core/evaluation.h"
#include "core/training.h"
#include "tests/support/few_samples.h"
#include "tests/support/golden.h"
#include "tests/support/iris.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

static const struct tempotron_params iris_shape = {
    CLOCK_GRID, IRIS_FEATURES * 16, IRIS_CLASSES, 100, 15, 3.75, 1};

static const struct training_params iris_params = {
    .loop = {.epochs = 100, .batch_size = 16, .schedule = {.learning_rate = 0.01}, .shuffle = true},
    .optimizer = OPTIMIZER_ADAM,
    .loss = {.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5},
};

static struct network *drawn(uint32_t seed)
{
    float weight[IRIS_CLASSES * IRIS_FEATURES * 16];
    tempotron_draw_weight(seed, iris_shape.in_features, IRIS_CLASSES, weight);
    return single_layer(&iris_shape, weight);
}

START_TEST(same_seed_same_bits)
{
    struct iris iris;
    iris_load(&iris);
    struct training_params params = iris_params;
    params.loop.epochs = 5;
    struct network *models[3] = {drawn(1), drawn(1), drawn(1)};
    for (uint32_t i = 0; i < 3; i++) {
        params.loop.seed = i == 2 ? 8 : 7;
        ck_assert_int_eq(
            network_train(models[i], &iris.all, NULL, &iris.encoding, &params, NULL, NULL),
            CORE_OK);
    }
    ck_assert(same_weights(models[0], models[1]));
    ck_assert(!same_weights(models[0], models[2]));
    for (size_t i = 0; i < 3; i++)
        network_destroy(models[i]);
    iris_finish(&iris);
}
END_TEST

START_TEST(iris_is_learnt)
{
    struct iris iris;
    iris_load(&iris);
    double accuracy = 0;
    for (uint32_t repeat = 0; repeat < 2; repeat++) {
        for (size_t fold = 0; fold < 5; fold++) {
            struct network *network = drawn(repeat);
            accuracy += iris_accuracy(&iris, network, repeat, fold, &iris_params) / 10;
            network_destroy(network);
        }
    }
    ck_assert_double_ge(accuracy, 0.945);
    iris_finish(&iris);
}
END_TEST

START_TEST(the_last_smaller_batch_counts_for_itself)
{
    struct network *whole = few_drawn(), *parts = few_drawn();
    few_train(whole, 0, 3, &few_params);
    few_train(parts, 0, 2, &few_params);
    few_train(parts, 2, 1, &few_params);
    ck_assert(same_weights(whole, parts));
    network_destroy(whole);
    network_destroy(parts);
}
END_TEST

START_TEST(a_silent_sample_is_never_correct)
{
    const float silent[] = {-1, -1, -1};
    const int32_t label = 0;
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 1, 3, silent, &label);
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    struct network *network = few_drawn();
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, &few_params, &observer, NULL),
                     CORE_OK);
    ck_assert_double_eq(last.epoch.accuracy, 0);
    network_destroy(network);
}
END_TEST

START_TEST(an_output_at_its_threshold_fires)
{
    const float v_max[] = {1, 0.999f};
    float dv[2];
    const struct loss losses[] = {{.type = LOSS_MSE, .v_threshold = 1},
                                  {.type = LOSS_TEMPOTRON, .v_threshold = 1}};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_double_eq(loss_of_sample(&losses[i], v_max, 0, 2, dv), 0);
        ck_assert_float_eq(dv[0], 0);
    }
}
END_TEST

START_TEST(class_metrics_count_what_was_found_and_what_was_right)
{
    const uint64_t confusion[] = {4, 1, 0, /**/ 2, 3, 0, /**/ 0, 0, 0};
    const struct class_metrics first = class_metrics(confusion, 3, 0, 5);
    ck_assert_uint_eq(first.support, 5);
    ck_assert_double_eq_tol(first.precision, 4.0 / 6, 1e-12);
    ck_assert_double_eq_tol(first.recall, 4.0 / 5, 1e-12);
    ck_assert_double_eq_tol(first.f1, 2 * (4.0 / 6) * (4.0 / 5) / (4.0 / 6 + 4.0 / 5), 1e-12);
    const struct class_metrics second = class_metrics(confusion, 3, 1, 6); /* one undecided */
    ck_assert_double_eq_tol(second.recall, 0.5, 1e-12);
    const struct class_metrics third = class_metrics(confusion, 3, 2, 0);
    ck_assert_double_eq(third.precision, 0);
    ck_assert_double_eq(third.recall, 0);
    ck_assert_double_eq(third.f1, 0);
}
END_TEST

START_TEST(patience_keeps_the_best_epoch)
{
    struct training_params params = iris_params;
    params.loop.schedule.learning_rate = 0.1;
    struct network *network = drawn(0), *equal = drawn(0);
    iris_expect_patience(network, equal, params);
    network_destroy(equal);
    network_destroy(network);
}
END_TEST

static bool stops_after_two(void *context)
{
    return ++*(int *)context > 2;
}

START_TEST(observer_stops_training)
{
    struct iris iris;
    iris_load(&iris);
    int asked = 0;
    const struct training_observer observer = {.context = &asked,
                                               .stop_requested = stops_after_two};
    struct network *network = drawn(0);
    ck_assert_int_eq(
        network_train(network, &iris.all, NULL, &iris.encoding, &iris_params, &observer, NULL),
        CORE_STOPPED);
    ck_assert_int_eq(asked, 3);
    network_destroy(network);
    iris_finish(&iris);
}
END_TEST

static bool stops_after_four(void *context)
{
    return ++*(int *)context > 4;
}

/* It is asked once for the one training sample, then for those of the validation until it says no.
 */
START_TEST(observer_stops_a_validation)
{
    struct iris iris;
    iris_load(&iris);
    int asked = 0;
    const struct training_observer observer = {.context = &asked,
                                               .stop_requested = stops_after_four};
    struct samples one = iris.all;
    struct network *network = drawn(0);
    one.count = 1;
    ck_assert_int_eq(
        network_train(network, &one, &iris.all, &iris.encoding, &iris_params, &observer, NULL),
        CORE_STOPPED);
    ck_assert_int_eq(asked, 5);
    network_destroy(network);
    iris_finish(&iris);
}
END_TEST

START_TEST(divergence_is_noticed)
{
    struct iris iris;
    iris_load(&iris);
    struct training_params params = iris_params;
    params.optimizer = OPTIMIZER_SGD;
    params.loss.type = LOSS_MSE;
    params.loop.schedule.learning_rate = 1e30;
    struct network *network = drawn(0);
    ck_assert_int_eq(network_train(network, &iris.all, NULL, &iris.encoding, &params, NULL, NULL),
                     CORE_DIVERGED);
    network_destroy(network);
    iris_finish(&iris);
}
END_TEST

/* One neuron, that fires for the first pattern, and for the second stays below its threshold. */
START_TEST(a_single_neuron_learns_to_fire_and_not_to)
{
    const struct tempotron_params shape = {CLOCK_CONTINUOUS, 2, 1, 50, 15, 3.75, 1};
    const float weight[] = {0.2f, 1.4f}, in_spikes[] = {3, 10, 10, 3.5f};
    const int32_t label[] = {0, -1};
    const struct samples set = view_values(SAMPLES_SPIKE_TIMES, 2, 2, in_spikes, label);
    const struct training_params params = {
        .loop = {.epochs = 2000, .batch_size = 1, .schedule = {.learning_rate = 0.01}},
        .momentum = 0.9,
        .loss = {.type = LOSS_TEMPOTRON, .v_threshold = 1},
    };
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    struct network *network = single_layer(&shape, weight);
    ck_assert_int_eq(network_train(network, &set, NULL, NULL, &params, &observer, NULL), CORE_OK);
    ck_assert_double_eq(last.epoch.loss, 0);
    network_destroy(network);
}
END_TEST

START_TEST(a_validation_loss_that_is_not_finite_is_a_divergence)
{
    const struct tempotron_params shape = {CLOCK_GRID, 3, 1, 20, 15, 3.75, 1};
    const float weight[] = {3e38f, 3e38f, 3e38f}, silent[] = {-1, -1, -1}, spikes[] = {1, 1, 1};
    const int32_t label = 0;
    const struct samples training = view_values(SAMPLES_SPIKE_TIMES, 1, 3, silent, &label);
    const struct samples validation = view_values(SAMPLES_SPIKE_TIMES, 1, 3, spikes, &label);
    struct training_params params = few_params;
    params.loss = (struct loss){.type = LOSS_CROSS_ENTROPY, .v_threshold = 1, .beta = 5};
    struct network *network = single_layer(&shape, weight);
    ck_assert_int_eq(network_train(network, &training, &validation, NULL, &params, NULL, NULL),
                     CORE_DIVERGED);
    network_destroy(network);
}
END_TEST

START_TEST(confusion_counts_every_decided_sample)
{
    struct iris iris;
    iris_load(&iris);
    uint64_t confusion[IRIS_CLASSES * IRIS_CLASSES];
    struct evaluation evaluation;
    struct network *network = drawn(0);
    iris.values[0] = iris.values[1] = iris.values[2] = iris.values[3] = 1e6f; /* all silent */
    ck_assert_int_eq(network_evaluate(network, &iris.all, &iris.encoding, &iris_params.loss, NULL,
                                      NULL, &evaluation, confusion),
                     CORE_OK);
    uint64_t count = 0, correct = 0;
    for (size_t i = 0; i < IRIS_CLASSES * IRIS_CLASSES; i++) {
        count += confusion[i];
        correct += i % (IRIS_CLASSES + 1) == 0 ? confusion[i] : 0;
    }
    ck_assert_uint_eq(evaluation.undecided, 1);
    ck_assert_uint_eq(count, IRIS_COUNT - 1);
    ck_assert_double_eq(evaluation.accuracy, (double)correct / IRIS_COUNT);
    network_destroy(network);
    iris_finish(&iris);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("training");
    TCase *tests = tcase_create("training");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, same_seed_same_bits);
    tcase_add_test(tests, iris_is_learnt);
    tcase_add_test(tests, the_last_smaller_batch_counts_for_itself);
    tcase_add_test(tests, a_silent_sample_is_never_correct);
    tcase_add_test(tests, an_output_at_its_threshold_fires);
    tcase_add_test(tests, class_metrics_count_what_was_found_and_what_was_right);
    tcase_add_test(tests, patience_keeps_the_best_epoch);
    tcase_add_test(tests, observer_stops_training);
    tcase_add_test(tests, observer_stops_a_validation);
    tcase_add_test(tests, divergence_is_noticed);
    tcase_add_test(tests, a_single_neuron_learns_to_fire_and_not_to);
    tcase_add_test(tests, a_validation_loss_that_is_not_finite_is_a_divergence);
    tcase_add_test(tests, confusion_counts_every_decided_sample);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
