/* Training of spike counts: what is learned, when it ends, and the same bits for any team. */
#include <check.h>
#include <math.h>

#include "core/samples.h"
#include "core/training.h"
#include "server/base/team_threads.h"
#include "tests/support/count_task.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"

static struct training_params task_params(size_t epochs, size_t batch_size)
{
    return (struct training_params){
        .loop = {.epochs = epochs,
                 .batch_size = batch_size,
                 .schedule = {.type = SCHEDULE_CONSTANT, .learning_rate = 2e-3},
                 .shuffle = true,
                 .seed = 2},
        .momentum = 0.9,
    };
}

START_TEST(counts_are_learned)
{
    static struct count_task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    count_task_draw(&task);
    struct network *network = count_task_model();
    const struct training_params params = task_params(600, 1);
    ck_assert_int_eq(
        network_train(network, &task.samples, &task.samples, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert_uint_eq(last.epochs, 600);
    ck_assert_double_eq(last.epoch.loss, 0);
    ck_assert_double_eq(last.epoch.accuracy, 1);
    ck_assert(last.epoch.has_validation);
    ck_assert_double_eq(last.epoch.validation_loss, 0);
    ck_assert_double_eq(last.epoch.validation_accuracy, 1);

    for (size_t b = 0; b < TASK_SAMPLES; b++) /* counted again, by themselves */
        for (size_t j = 0; j < TASK_OUTPUTS; j++)
            ck_assert_uint_eq(count_task_fired(&task, network, b, j),
                              task.wanted[b * TASK_OUTPUTS + j]);
    network_destroy(network);
}
END_TEST

/* Samples of a task by themselves. */
static struct samples part_of(const struct count_task *task, size_t first, size_t count)
{
    struct samples part = task->samples;
    part.count = count;
    part.data.trains.spikes += first * TASK_AFFERENTS;
    part.data.trains.first += first;
    part.targets.wanted += first * TASK_OUTPUTS;
    return part;
}

START_TEST(patience_keeps_the_best_epoch_of_counts)
{
    static struct count_task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    count_task_draw(&task);
    const struct samples training = part_of(&task, 0, TASK_SAMPLES / 2);
    const struct samples validation = part_of(&task, TASK_SAMPLES / 2, TASK_SAMPLES / 2);
    struct network *patient = count_task_model(), *shorter = count_task_model();
    struct training_params params = task_params(1000, 1);
    params.loop.patience = 4;
    ck_assert_int_eq(network_train(patient, &training, &validation, NULL, &params, &observer, NULL),
                     CORE_OK);
    ck_assert_uint_gt(last.epochs, params.loop.patience);
    ck_assert_uint_lt(last.epochs, 1000);
    const double after = last.epoch.validation_loss;
    params.loop.epochs = last.epochs - params.loop.patience;
    params.loop.patience = 0;
    last = (struct last_epoch){0};
    ck_assert_int_eq(network_train(shorter, &training, &validation, NULL, &params, &observer, NULL),
                     CORE_OK);
    ck_assert_double_lt(last.epoch.validation_loss, after);
    ck_assert(same_weights(patient, shorter));
    network_destroy(shorter);
    network_destroy(patient);
}
END_TEST

START_TEST(any_thread_team_counts_and_learns_the_same_bits)
{
    static struct count_task task;
    struct last_epoch alone_last = {0};
    struct training_observer observer = {.context = &alone_last, .on_epoch = keep_epoch};
    count_task_draw(&task);
    struct network *alone = count_task_model(), *fresh = count_task_model();
    const struct training_params params = task_params(5, 7);
    ck_assert_int_eq(
        network_train(alone, &task.samples, &task.samples, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert(!same_weights(alone, fresh));
    for (unsigned size = 1; size <= 3; size++) {
        struct last_epoch last = {0};
        struct thread_team *team = team_threads_create(size);
        struct network *shared = count_task_model();
        ck_assert_ptr_nonnull(team);
        observer.context = &last;
        ck_assert_int_eq(
            network_train(shared, &task.samples, &task.samples, NULL, &params, &observer, team),
            CORE_OK);
        ck_assert(same_weights(alone, shared));
        ck_assert_double_eq(last.epoch.loss, alone_last.epoch.loss);
        ck_assert_double_eq(last.epoch.validation_loss, alone_last.epoch.validation_loss);
        network_destroy(shared);
        team_threads_destroy(team);
    }
    network_destroy(alone);
    network_destroy(fresh);
}
END_TEST

static bool after_forty(void *context)
{
    return ++*(unsigned *)context > 40;
}

START_TEST(an_observer_ends_it_and_weights_that_are_not_finite_do)
{
    static struct count_task task;
    unsigned asked = 0;
    const struct training_observer observer = {.context = &asked, .stop_requested = after_forty};
    count_task_draw(&task);
    struct network *network = count_task_model();
    struct training_params params = task_params(1000, 5);
    ck_assert_int_eq(network_train(network, &task.samples, NULL, NULL, &params, &observer, NULL),
                     CORE_STOPPED);
    ck_assert_uint_ge(asked, 41);
    params.loop.schedule.learning_rate = 1e38;
    ck_assert_int_eq(network_train(network, &task.samples, NULL, NULL, &params, NULL, NULL),
                     CORE_DIVERGED);
    network_destroy(network);
}
END_TEST

/* No spike could make an output of negative weights fire: it learns from the last one. */
START_TEST(a_silent_output_learns_to_fire)
{
    static struct count_task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    count_task_draw(&task);
    struct network *network = count_task_model();
    struct tempotron *block = single_block(network);
    for (size_t i = 0; i < TASK_AFFERENTS * block->stride; i++)
        block->weight[i] = -fabsf(block->weight[i]);
    const struct training_params params = task_params(600, 1);
    ck_assert_int_eq(network_train(network, &task.samples, NULL, NULL, &params, &observer, NULL),
                     CORE_OK);
    ck_assert_double_eq(last.epoch.loss, 0);
    network_destroy(network);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_count_training");
    TCase *tests = tcase_create("spike count");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, counts_are_learned);
    tcase_add_test(tests, patience_keeps_the_best_epoch_of_counts);
    tcase_add_test(tests, any_thread_team_counts_and_learns_the_same_bits);
    tcase_add_test(tests, an_observer_ends_it_and_weights_that_are_not_finite_do);
    tcase_add_test(tests, a_silent_output_learns_to_fire);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
