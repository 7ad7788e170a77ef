/* Critical thresholds, at which a spike is lost, and their gradients. */
#include <check.h>
#include <math.h>

#include "core/critical_threshold.h"
#include "core/multi_spike.h"
#include "core/random.h"
#include "tests/support/dense.h"
#include "tests/support/spike_trial.h"
#include "tests/support/suite.h"

/* --- critical thresholds --- */

static size_t count_at(struct trial_scratch *scratch, double threshold)
{
    multi_spike_fire(&scratch->multi_spike, threshold, &scratch->train);
    return scratch->train.count;
}

START_TEST(a_critical_threshold_is_the_largest_with_that_many_spikes)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    size_t found = 0;
    random_init(&random, 11 + (uint32_t)_i);
    for (int i = 0; i < 300; i++) {
        spike_trial_draw(&trial, &random);
        trial_scratch_init(&scratch, &trial);
        for (size_t j = 0; j < TRIAL_OUTPUTS; j++) {
            double before = INFINITY;
            trial_scratch_take(&scratch, j);
            const double v_max = multi_spike_v_max(&scratch.multi_spike).v;
            for (size_t k = 1; k <= 8; k++) {
                struct critical_threshold critical;
                const double hint = i % 2 == 0 ? 0 : 2 * (double)random_uniform(&random);
                if (!critical_threshold_find(&scratch.multi_spike, k, hint, &scratch.search,
                                             &critical)) {
                    ck_assert_double_le(v_max, 0);
                    continue;
                }
                ck_assert(critical.theta <= before &&
                          critical.theta >= v_max / (double)k * (1 - 1e-14));
                ck_assert_uint_ge(count_at(&scratch, critical.theta * (1 - 1e-12)), k);
                ck_assert_uint_lt(count_at(&scratch, critical.theta * (1 + 1e-12)), k);
                before = critical.theta;
                found++;
            }
        }
        trial_scratch_finish(&scratch);
    }
    ck_assert_uint_gt(found, 300 * TRIAL_OUTPUTS * 7);
}
END_TEST

/* Counted by the reference at many thresholds: where it counts k spikes is below theta*_k, where
 * fewer above. */
START_TEST(critical_thresholds_agree_with_counting)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    random_init(&random, 5);
    for (int i = 0; i < 4; i++) {
        double theta[6] = {INFINITY}, times[TRIAL_TRAIN_MAX];
        spike_trial_draw(&trial, &random);
        trial_scratch_init(&scratch, &trial);
        trial_scratch_take(&scratch, 0);
        const struct dense_kernel kernel = spike_trial_kernel(&trial);
        const struct dense_spikes spikes = spike_trial_spikes(&trial, 0);
        for (size_t k = 1; k <= 5; k++) {
            struct critical_threshold critical;
            ck_assert(
                critical_threshold_find(&scratch.multi_spike, k, 0, &scratch.search, &critical));
            theta[k] = critical.theta;
        }
        double at;
        ck_assert_double_eq_tol(
            theta[1], dense_continuous_max(&kernel, &spikes, (double)trial.params.T, &at), 1e-9);
        for (double threshold = 1.05 * theta[1]; threshold > theta[5]; threshold *= 0.97) {
            const size_t count = dense_fire(&kernel, &spikes, threshold, (double)trial.params.T,
                                            1e-2, times, TRIAL_TRAIN_MAX);
            const double near = 2e-2;
            ck_assert(count > 5 || theta[count] > threshold * (1 - near));
            ck_assert(count >= 5 || theta[count + 1] < threshold * (1 + near));
        }
        trial_scratch_finish(&scratch);
    }
}
END_TEST

START_TEST(a_neuron_that_never_rises_has_no_critical_threshold)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    struct critical_threshold critical;
    random_init(&random, 3);
    do
        spike_trial_draw(&trial, &random);
    while (trial.params.tau < trial.params.tau_s || trial.first[1] < 3);
    for (size_t i = 0; i < TRIAL_AFFERENTS; i++) {
        spike_trial_set_weight(&trial, 0, i, -0.5f);
        spike_trial_set_weight(&trial, 1, i, i == 2 ? NAN : 1);
        spike_trial_set_weight(&trial, 2, i, i % 2 == 0 ? INFINITY : -INFINITY);
    }
    trial_scratch_init(&scratch, &trial);
    for (size_t j = 0; j < TRIAL_OUTPUTS; j++) { /* those that are not finite end, that is all */
        trial_scratch_take(&scratch, j);
        multi_spike_fire(&scratch.multi_spike, 1, &scratch.train);
        const bool found =
            critical_threshold_find(&scratch.multi_spike, 3, 1, &scratch.search, &critical);
        ck_assert(j > 0 || (!found && scratch.train.count == 0));
    }
    trial_scratch_finish(&scratch);
}
END_TEST

/* --- gradients --- */

static bool theta_of(const struct spike_trial *trial, size_t output, size_t k,
                     struct critical_threshold *ret_critical)
{
    struct trial_scratch scratch;
    trial_scratch_init(&scratch, trial);
    trial_scratch_take(&scratch, output);
    const bool found =
        critical_threshold_find(&scratch.multi_spike, k, 0, &scratch.search, ret_critical);
    trial_scratch_finish(&scratch);
    return found;
}

/* The weights are floats: the steps are what is left of them after rounding. */
static bool difference(struct spike_trial *trial, size_t output, size_t afferent, size_t k,
                       float step, double *ret_difference)
{
    const float weight = trial->weight[output * TRIAL_AFFERENTS + afferent];
    const float low_weight = weight - step, high_weight = weight + step;
    struct critical_threshold low, high;
    spike_trial_set_weight(trial, output, afferent, low_weight);
    bool found = theta_of(trial, output, k, &low);
    spike_trial_set_weight(trial, output, afferent, high_weight);
    found = theta_of(trial, output, k, &high) && found;
    spike_trial_set_weight(trial, output, afferent, weight);
    *ret_difference = (high.theta - low.theta) / ((double)high_weight - (double)low_weight);
    return found && low.before == high.before && low.interval == high.interval;
}

/* Extrapolated from two steps; nothing where the voltage touches elsewhere after either, or where
 * the steps are too long for it to tell (another spike nearly touches). */
static bool derivative(struct spike_trial *trial, size_t output, size_t afferent, size_t k,
                       double *ret_derivative)
{
    double coarse, middle, fine;
    if (!difference(trial, output, afferent, k, 0x1p-10f, &coarse) ||
        !difference(trial, output, afferent, k, 0x1p-11f, &middle) ||
        !difference(trial, output, afferent, k, 0x1p-12f, &fine))
        return false;
    const double first = (4 * middle - coarse) / 3, second = (4 * fine - middle) / 3;
    *ret_derivative = (16 * second - first) / 15;
    return fabs(first - second) < 1e-6 * fabs(second);
}

START_TEST(gradients_agree_with_finite_differences)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    size_t compared = 0;
    const size_t k = (size_t)_i + 1;
    random_init(&random, 70 + (uint32_t)_i);
    for (int i = 0; i < 60; i++) {
        double credit[TRIAL_AFFERENTS * TRIAL_SPIKES_MAX], expected;
        struct critical_threshold critical;
        spike_trial_draw(&trial, &random);
        trial_scratch_init(&scratch, &trial);
        trial_scratch_take(&scratch, 1);
        if (critical_threshold_find(&scratch.multi_spike, k, 0, &scratch.search, &critical)) {
            critical_threshold_credit(&scratch.multi_spike, &critical, &scratch.search, credit);
            for (size_t afferent = 0; afferent < TRIAL_AFFERENTS; afferent++) {
                double sum = 0;
                for (size_t s = 0; s < scratch.pattern.count; s++)
                    sum += scratch.pattern.afferent[s] == afferent ? credit[s] : 0;
                if (!derivative(&trial, 1, afferent, k, &expected))
                    continue;
                ck_assert_double_eq_tol(sum, expected, 1e-6 * fabs(expected) + 1e-10);
                compared++;
            }
        }
        trial_scratch_finish(&scratch);
    }
    ck_assert_uint_gt(compared, 300);
}
END_TEST

/* A voltage that scales with its weights has thresholds that scale with them (Euler). */
START_TEST(weights_times_their_gradient_are_the_threshold)
{
    struct random random;
    struct spike_trial trial;
    struct trial_scratch scratch;
    random_init(&random, 8);
    for (int i = 0; i < 200; i++) {
        double credit[TRIAL_AFFERENTS * TRIAL_SPIKES_MAX];
        struct critical_threshold critical;
        spike_trial_draw(&trial, &random);
        trial_scratch_init(&scratch, &trial);
        trial_scratch_take(&scratch, 2);
        for (size_t k = 1; k <= 12; k++) {
            double sum = 0;
            if (!critical_threshold_find(&scratch.multi_spike, k, 1.5, &scratch.search, &critical))
                continue;
            critical_threshold_credit(&scratch.multi_spike, &critical, &scratch.search, credit);
            for (size_t s = 0; s < scratch.pattern.count; s++)
                sum += credit[s] *
                       (double)trial.weight[2 * TRIAL_AFFERENTS + scratch.pattern.afferent[s]];
            ck_assert_double_eq_tol(sum, critical.theta, 1e-9 * critical.theta);
        }
        trial_scratch_finish(&scratch);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("critical_threshold");
    TCase *tests = tcase_create("spike count");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_critical_threshold_is_the_largest_with_that_many_spikes, 0, 2);
    tcase_add_test(tests, critical_thresholds_agree_with_counting);
    tcase_add_test(tests, a_neuron_that_never_rises_has_no_critical_threshold);
    tcase_add_loop_test(tests, gradients_agree_with_finite_differences, 0, 5);
    tcase_add_test(tests, weights_times_their_gradient_are_the_threshold);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
