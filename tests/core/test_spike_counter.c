/* The spikes of outputs that fire many times: where the voltage reaches the threshold, and no
 * others. */
#include <check.h>

#include "core/multi_spike.h"
#include "core/random.h"
#include "tests/support/count_task.h"
#include "tests/support/dense.h"
#include "tests/support/spike_trial.h"
#include "tests/support/suite.h"

/* Every spike time is where the voltage with the resets before it is the threshold and rising, and
 * nowhere in between is it higher: that is what a spike train is. */
static void check_train(const struct spike_trial *trial, size_t output, double threshold,
                        const struct spike_train *train)
{
    const struct dense_kernel kernel = spike_trial_kernel(trial);
    const struct dense_spikes spikes = spike_trial_spikes(trial, output);
    const double T = (double)trial->params.T, step = 1e-2;
    size_t count_task_fired = 0;
    for (double t = 0; t <= T; t += step) {
        while (count_task_fired < train->count && train->time[count_task_fired] <= t)
            count_task_fired++;
        if (count_task_fired == train->max)
            break;
        ck_assert_double_le(
            dense_voltage_with_reset(&kernel, &spikes, threshold, train->time, count_task_fired, t),
            threshold * (1 + 1e-9));
    }
    for (size_t s = 0; s < train->count; s++) {
        const double t = train->time[s], slope = train->slope[s], h = 1e-6;
        ck_assert_double_eq_tol(
            dense_voltage_with_reset(&kernel, &spikes, threshold, train->time, s, t), threshold,
            1e-10);
        const double before =
            dense_voltage_with_reset(&kernel, &spikes, threshold, train->time, s, t - h);
        ck_assert_double_eq_tol(slope, (threshold - before) / h, 1e-3);
        ck_assert(s == 0 || t > train->time[s - 1]);
        ck_assert(t >= 0 && t <= T);
    }
}

/* The voltage that is given out, at every whole time. */
static void check_voltages(const struct spike_trial *trial, size_t output, double threshold,
                           const struct multi_spike *multi_spike, const struct spike_train *train)
{
    const struct dense_kernel kernel = spike_trial_kernel(trial);
    const struct dense_spikes spikes = spike_trial_spikes(trial, output);
    float v[128];
    size_t count_task_fired = 0;
    multi_spike_sample(multi_spike, threshold, train, trial->params.T + 1, v);
    for (size_t t = 0; t <= trial->params.T; t++) {
        while (count_task_fired < train->count && train->time[count_task_fired] < (double)t)
            count_task_fired++;
        ck_assert_double_eq_tol((double)v[t],
                                dense_voltage_with_reset(&kernel, &spikes, threshold, train->time,
                                                         count_task_fired, (double)t),
                                1e-5);
    }
}

START_TEST(spikes_are_where_the_voltage_reaches_the_threshold)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    size_t spikes = 0;
    random_init(&random, 1 + (uint32_t)_i);
    for (int i = 0; i < 100; i++) {
        spike_trial_draw(&trial, &random);
        trial_scratch_init(&scratch, &trial);
        for (size_t j = 0; j < TRIAL_OUTPUTS; j++) {
            const double threshold = 0.3 + 2 * (double)random_uniform(&random);
            trial_scratch_take(&scratch, j);
            multi_spike_fire(&scratch.multi_spike, threshold, &scratch.train);
            check_train(&trial, j, threshold, &scratch.train);
            check_voltages(&trial, j, threshold, &scratch.multi_spike, &scratch.train);
            spikes += scratch.train.count;
        }
        trial_scratch_finish(&scratch);
    }
    ck_assert_uint_gt(spikes, 600);
}
END_TEST

/* The reference's steps are coarse: its spikes are late by up to one, and what that changes. */
START_TEST(spikes_agree_with_a_simulation_in_small_steps)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    size_t compared = 0, differing = 0;
    random_init(&random, 31);
    for (int i = 0; i < 20; i++) {
        double times[TRIAL_TRAIN_MAX];
        spike_trial_draw(&trial, &random);
        trial_scratch_init(&scratch, &trial);
        trial_scratch_take(&scratch, 0);
        multi_spike_fire(&scratch.multi_spike, 1, &scratch.train);
        const struct dense_kernel kernel = spike_trial_kernel(&trial);
        const struct dense_spikes spikes = spike_trial_spikes(&trial, 0);
        const size_t count =
            dense_fire(&kernel, &spikes, 1, (double)trial.params.T, 1e-3, times, TRIAL_TRAIN_MAX);
        if (count != scratch.train.count) {
            differing++;
            trial_scratch_finish(&scratch);
            continue;
        }
        for (size_t s = 0; s < count; s++, compared++)
            ck_assert_double_eq_tol(scratch.train.time[s], times[s], 0.05);
        trial_scratch_finish(&scratch);
    }
    ck_assert_uint_gt(compared, 40);
    ck_assert_uint_le(differing, 1);
}
END_TEST

START_TEST(a_strong_input_fires_until_the_train_is_full)
{
    struct arena arena = {0};
    const struct tempotron_params params = {CLOCK_CONTINUOUS, 1, 1, 100, 20, 5, 1};
    const float weight[] = {40};
    struct pattern pattern;
    struct timeline timeline;
    struct multi_spike multi_spike;
    struct spike_train train;
    struct tempotron *tempotron = tempotron_create(&params, weight, &arena);
    pattern_init(&pattern, 1, tempotron_last(&params), &arena);
    timeline_init(&timeline, CLOCK_CONTINUOUS, 1, &arena);
    multi_spike_init(&multi_spike, 1, &arena);
    spike_train_init(&train, 1000, &arena);
    pattern_clear(&pattern);
    pattern_add(&pattern, 0, 10);
    timeline_read(&timeline, tempotron, &pattern);
    multi_spike_take_pattern(&multi_spike, tempotron, &pattern, &timeline);
    multi_spike_take_output(&multi_spike, tempotron, &pattern, 0);
    multi_spike_fire(&multi_spike, 1, &train);
    /* of v0 40/tau_s (1 - tau_s/tau) exp(-u/tau_s) input at least the threshold's own leak fires */
    ck_assert_uint_gt(train.count, 40);
    ck_assert_uint_lt(train.count, 70);
    const size_t all = train.count;
    train.max = 7;
    multi_spike_fire(&multi_spike, 1, &train);
    ck_assert_uint_eq(train.count, 7);
    ck_assert_uint_gt(all, 7);
    arena_finish(&arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_counter");
    TCase *tests = tcase_create("spike count");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, spikes_are_where_the_voltage_reaches_the_threshold, 0, 2);
    tcase_add_test(tests, spikes_agree_with_a_simulation_in_small_steps);
    tcase_add_test(tests, a_strong_input_fires_until_the_train_is_full);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
