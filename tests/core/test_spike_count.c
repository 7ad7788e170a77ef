/* Outputs that fire many times: their spikes, their critical thresholds, and what they learn. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/count_training.h"
#include "core/critical_threshold.h"
#include "core/multi_spike.h"
#include "core/random.h"
#include "core/samples.h"
#include "server/base/thread_team.h"
#include "tests/support/dense.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

static bool same_tempotron(const struct tempotron *a, const struct tempotron *b)
{
    return memcmp(a->weight, b->weight, a->params.in_features * a->stride * sizeof(float)) == 0;
}

enum { AFFERENTS = 12, OUTPUTS = 3, SPIKES_MOST = 4, TRAIN_MOST = 200 };

/* A model with random weights, and a sample of spike trains. */
struct trial {
    struct tempotron_params params;
    float weight[OUTPUTS * AFFERENTS];
    uint32_t spikes[AFFERENTS];
    float times[AFFERENTS * SPIKES_MOST];
    size_t first[2];
    double spike_time[AFFERENTS * SPIKES_MOST]; /* of each spike, for the reference */
    double spike_weight[OUTPUTS][AFFERENTS * SPIKES_MOST];
};

static void set_weight(struct trial *trial, size_t output, size_t afferent, float weight)
{
    size_t from = 0;
    for (size_t i = 0; i < afferent; i++)
        from += trial->spikes[i];
    trial->weight[output * AFFERENTS + afferent] = weight;
    for (size_t s = from; s < from + trial->spikes[afferent]; s++)
        trial->spike_weight[output][s] = (double)weight;
}

/* Of 0 to 4 spikes an afferent, some too late, some at the same time. Weights are more often
 * positive than not, and great enough for several spikes. */
static void draw(struct trial *trial, struct random *random)
{
    const double tau = 4 + 20 * (double)random_uniform(random);
    const double ratio = 0.1 + 0.8 * (double)random_uniform(random);
    const bool swaps = random_bits(random) % 8 == 0; /* the synapse may be the slower one */
    *trial = (struct trial){
        .params = {.clock = CLOCK_CONTINUOUS,
                   .in_features = AFFERENTS,
                   .out_features = OUTPUTS,
                   .T = 20 + random_bits(random) % 60,
                   .tau = swaps ? tau * ratio : tau,
                   .tau_s = swaps ? tau : tau * ratio,
                   .v_threshold = 1.5},
    };
    for (size_t i = 0; i < AFFERENTS; i++) {
        trial->spikes[i] = random_bits(random) % (SPIKES_MOST + 1);
        for (uint32_t k = 0; k < trial->spikes[i]; k++) {
            const float time = random_uniform(random) * (float)(trial->params.T + 5);
            const float kept = random_bits(random) % 8 == 0 ? floorf(time) : time;
            trial->spike_time[trial->first[1]] = (double)kept;
            trial->times[trial->first[1]++] = kept;
        }
    }
    for (size_t j = 0; j < OUTPUTS; j++)
        for (size_t i = 0; i < AFFERENTS; i++)
            set_weight(trial, j, i, 1.6f * random_uniform(random) - 0.5f);
}

/* What a trial is run by. */
struct bench {
    struct tempotron *tempotron;
    struct pattern pattern;
    struct multi_spike multi_spike;
    struct spike_train train;
    struct critical_search search;
};

static void bench_init(struct bench *bench, const struct trial *trial)
{
    const size_t capacity = AFFERENTS * SPIKES_MOST;
    const struct samples set = view_trains(1, AFFERENTS, trial->spikes, trial->times, trial->first);
    ck_assert_int_eq(tempotron_create(&trial->params, trial->weight, &bench->tempotron), CORE_OK);
    ck_assert_int_eq(pattern_init(&bench->pattern, capacity, multi_spike_last(&trial->params)),
                     CORE_OK);
    ck_assert_int_eq(multi_spike_init(&bench->multi_spike, capacity), CORE_OK);
    ck_assert_int_eq(spike_train_init(&bench->train, TRAIN_MOST), CORE_OK);
    ck_assert_int_eq(critical_search_init(&bench->search, TRAIN_MOST), CORE_OK);
    samples_pattern(&set, NULL, 0, &bench->pattern);
    multi_spike_take_pattern(&bench->multi_spike, bench->tempotron, &bench->pattern);
}

static void bench_take(struct bench *bench, size_t output)
{
    multi_spike_take_output(&bench->multi_spike, bench->tempotron, &bench->pattern, output);
}

static void bench_finish(struct bench *bench)
{
    critical_search_finish(&bench->search);
    spike_train_finish(&bench->train);
    multi_spike_finish(&bench->multi_spike);
    pattern_finish(&bench->pattern);
    tempotron_destroy(bench->tempotron);
}

/* --- the reference --- */

static struct dense_kernel kernel_of(const struct trial *trial)
{
    return (struct dense_kernel){.tau = trial->params.tau,
                                 .tau_s = trial->params.tau_s,
                                 .v_threshold = trial->params.v_threshold};
}

static struct dense_spikes spikes_of(const struct trial *trial, size_t output)
{
    return (struct dense_spikes){
        .count = trial->first[1], .weight = trial->spike_weight[output], .time = trial->spike_time};
}

/* Every spike time is where the voltage with the resets before it is the threshold and rising, and
 * nowhere in between is it higher: that is what a spike train is. */
static void check_train(const struct trial *trial, size_t output, double threshold,
                        const struct spike_train *train)
{
    const struct dense_kernel kernel = kernel_of(trial);
    const struct dense_spikes spikes = spikes_of(trial, output);
    const double T = (double)trial->params.T, step = 1e-2;
    size_t fired = 0;
    for (double t = 0; t <= T; t += step) {
        while (fired < train->count && train->time[fired] <= t)
            fired++;
        if (fired == train->most)
            break;
        ck_assert_double_le(
            dense_voltage_with_reset(&kernel, &spikes, threshold, train->time, fired, t),
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
static void check_voltages(const struct trial *trial, size_t output, double threshold,
                           const struct multi_spike *multi_spike, const struct spike_train *train)
{
    const struct dense_kernel kernel = kernel_of(trial);
    const struct dense_spikes spikes = spikes_of(trial, output);
    float v[128];
    size_t fired = 0;
    multi_spike_sample(multi_spike, threshold, train, trial->params.T + 1, v);
    for (size_t t = 0; t <= trial->params.T; t++) {
        while (fired < train->count && train->time[fired] < (double)t)
            fired++;
        ck_assert_double_eq_tol(
            (double)v[t],
            dense_voltage_with_reset(&kernel, &spikes, threshold, train->time, fired, (double)t),
            1e-5);
    }
}

START_TEST(spikes_are_where_the_voltage_reaches_the_threshold)
{
    struct random random;
    struct trial trial;
    struct bench bench;
    size_t spikes = 0;
    random_init(&random, 1 + (uint32_t)_i);
    for (int i = 0; i < 100; i++) {
        draw(&trial, &random);
        bench_init(&bench, &trial);
        for (size_t j = 0; j < OUTPUTS; j++) {
            const double threshold = 0.3 + 2 * (double)random_uniform(&random);
            bench_take(&bench, j);
            multi_spike_fire(&bench.multi_spike, threshold, &bench.train);
            check_train(&trial, j, threshold, &bench.train);
            check_voltages(&trial, j, threshold, &bench.multi_spike, &bench.train);
            spikes += bench.train.count;
        }
        bench_finish(&bench);
    }
    ck_assert_uint_gt(spikes, 600);
}
END_TEST

/* The reference's steps are coarse: its spikes are late by up to one, and what that changes. */
START_TEST(spikes_agree_with_a_simulation_in_small_steps)
{
    struct random random;
    struct trial trial;
    struct bench bench;
    size_t compared = 0, differing = 0;
    random_init(&random, 31);
    for (int i = 0; i < 20; i++) {
        double times[TRAIN_MOST];
        draw(&trial, &random);
        bench_init(&bench, &trial);
        bench_take(&bench, 0);
        multi_spike_fire(&bench.multi_spike, 1, &bench.train);
        const struct dense_kernel kernel = kernel_of(&trial);
        const struct dense_spikes spikes = spikes_of(&trial, 0);
        const size_t count =
            dense_fire(&kernel, &spikes, 1, (double)trial.params.T, 1e-3, times, TRAIN_MOST);
        if (count != bench.train.count) {
            differing++;
            bench_finish(&bench);
            continue;
        }
        for (size_t s = 0; s < count; s++, compared++)
            ck_assert_double_eq_tol(bench.train.time[s], times[s], 0.05);
        bench_finish(&bench);
    }
    ck_assert_uint_gt(compared, 40);
    ck_assert_uint_le(differing, 1);
}
END_TEST

START_TEST(a_strong_input_fires_until_the_train_is_full)
{
    const struct tempotron_params params = {CLOCK_CONTINUOUS, 1, 1, 100, 20, 5, 1};
    const float weight[] = {40};
    struct tempotron *tempotron;
    struct pattern pattern;
    struct multi_spike multi_spike;
    struct spike_train train;
    ck_assert_int_eq(tempotron_create(&params, weight, &tempotron), CORE_OK);
    ck_assert_int_eq(pattern_init(&pattern, 1, multi_spike_last(&params)), CORE_OK);
    ck_assert_int_eq(multi_spike_init(&multi_spike, 1), CORE_OK);
    ck_assert_int_eq(spike_train_init(&train, 1000), CORE_OK);
    pattern_clear(&pattern);
    pattern_add(&pattern, 0, 10);
    multi_spike_take_pattern(&multi_spike, tempotron, &pattern);
    multi_spike_take_output(&multi_spike, tempotron, &pattern, 0);
    multi_spike_fire(&multi_spike, 1, &train);
    /* of v0 40/tau_s (1 - tau_s/tau) exp(-u/tau_s) input at least the threshold's own leak fires */
    ck_assert_uint_gt(train.count, 40);
    ck_assert_uint_lt(train.count, 70);
    const size_t all = train.count;
    train.most = 7;
    multi_spike_fire(&multi_spike, 1, &train);
    ck_assert_uint_eq(train.count, 7);
    ck_assert_uint_gt(all, 7);
    spike_train_finish(&train);
    multi_spike_finish(&multi_spike);
    pattern_finish(&pattern);
    tempotron_destroy(tempotron);
}
END_TEST

/* --- critical thresholds --- */

static size_t count_at(struct bench *bench, double threshold)
{
    multi_spike_fire(&bench->multi_spike, threshold, &bench->train);
    return bench->train.count;
}

START_TEST(a_critical_threshold_is_the_largest_with_so_many_spikes)
{
    struct random random;
    struct trial trial;
    struct bench bench;
    size_t found = 0;
    random_init(&random, 11 + (uint32_t)_i);
    for (int i = 0; i < 300; i++) {
        draw(&trial, &random);
        bench_init(&bench, &trial);
        for (size_t j = 0; j < OUTPUTS; j++) {
            double before = INFINITY;
            bench_take(&bench, j);
            const double v_max = multi_spike_v_max(&bench.multi_spike).v;
            for (size_t k = 1; k <= 8; k++) {
                struct critical_threshold critical;
                const double hint = i % 2 == 0 ? 0 : 2 * (double)random_uniform(&random);
                if (!critical_threshold_find(&bench.multi_spike, k, hint, &bench.search,
                                             &critical)) {
                    ck_assert_double_le(v_max, 0);
                    continue;
                }
                ck_assert(critical.theta <= before &&
                          critical.theta >= v_max / (double)k * (1 - 1e-14));
                ck_assert_uint_ge(count_at(&bench, critical.theta * (1 - 1e-12)), k);
                ck_assert_uint_lt(count_at(&bench, critical.theta * (1 + 1e-12)), k);
                before = critical.theta;
                found++;
            }
        }
        bench_finish(&bench);
    }
    ck_assert_uint_gt(found, 300 * OUTPUTS * 7);
}
END_TEST

/* Counted by the reference at many thresholds: where it counts k spikes is below theta*_k, where
 * fewer above. */
START_TEST(critical_thresholds_agree_with_counting)
{
    struct random random;
    struct trial trial;
    struct bench bench;
    random_init(&random, 5);
    for (int i = 0; i < 4; i++) {
        double theta[6] = {INFINITY}, times[TRAIN_MOST];
        draw(&trial, &random);
        bench_init(&bench, &trial);
        bench_take(&bench, 0);
        const struct dense_kernel kernel = kernel_of(&trial);
        const struct dense_spikes spikes = spikes_of(&trial, 0);
        for (size_t k = 1; k <= 5; k++) {
            struct critical_threshold critical;
            ck_assert(critical_threshold_find(&bench.multi_spike, k, 0, &bench.search, &critical));
            theta[k] = critical.theta;
        }
        double at;
        ck_assert_double_eq_tol(
            theta[1], dense_continuous_max(&kernel, &spikes, (double)trial.params.T, &at), 1e-9);
        for (double threshold = 1.05 * theta[1]; threshold > theta[5]; threshold *= 0.97) {
            const size_t count = dense_fire(&kernel, &spikes, threshold, (double)trial.params.T,
                                            1e-2, times, TRAIN_MOST);
            const double near = 2e-2;
            ck_assert(count > 5 || theta[count] > threshold * (1 - near));
            ck_assert(count >= 5 || theta[count + 1] < threshold * (1 + near));
        }
        bench_finish(&bench);
    }
}
END_TEST

START_TEST(a_neuron_that_never_rises_has_no_critical_threshold)
{
    struct random random;
    struct trial trial;
    struct bench bench;
    struct critical_threshold critical;
    random_init(&random, 3);
    do
        draw(&trial, &random);
    while (trial.params.tau < trial.params.tau_s || trial.first[1] < 3);
    for (size_t i = 0; i < AFFERENTS; i++) {
        set_weight(&trial, 0, i, -0.5f);
        set_weight(&trial, 1, i, i == 2 ? NAN : 1);
        set_weight(&trial, 2, i, i % 2 == 0 ? INFINITY : -INFINITY);
    }
    bench_init(&bench, &trial);
    for (size_t j = 0; j < OUTPUTS; j++) { /* those that are not finite end, that is all */
        bench_take(&bench, j);
        multi_spike_fire(&bench.multi_spike, 1, &bench.train);
        const bool found =
            critical_threshold_find(&bench.multi_spike, 3, 1, &bench.search, &critical);
        ck_assert(j > 0 || (!found && bench.train.count == 0));
    }
    bench_finish(&bench);
}
END_TEST

/* --- gradients --- */

static bool theta_of(const struct trial *trial, size_t output, size_t k,
                     struct critical_threshold *ret_critical)
{
    struct bench bench;
    bench_init(&bench, trial);
    bench_take(&bench, output);
    const bool found =
        critical_threshold_find(&bench.multi_spike, k, 0, &bench.search, ret_critical);
    bench_finish(&bench);
    return found;
}

/* The weights are floats: the steps are what is left of them after rounding. */
static bool difference(struct trial *trial, size_t output, size_t afferent, size_t k, float step,
                       double *ret_difference)
{
    const float weight = trial->weight[output * AFFERENTS + afferent];
    const float low_weight = weight - step, high_weight = weight + step;
    struct critical_threshold low, high;
    set_weight(trial, output, afferent, low_weight);
    bool found = theta_of(trial, output, k, &low);
    set_weight(trial, output, afferent, high_weight);
    found = theta_of(trial, output, k, &high) && found;
    set_weight(trial, output, afferent, weight);
    *ret_difference = (high.theta - low.theta) / ((double)high_weight - (double)low_weight);
    return found && low.before == high.before && low.gap == high.gap;
}

/* Extrapolated from two steps; nothing where the voltage touches elsewhere after either, or where
 * the steps are too long for it to tell (another spike nearly touches). */
static bool derivative(struct trial *trial, size_t output, size_t afferent, size_t k,
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
    struct trial trial;
    struct bench bench;
    size_t compared = 0;
    const size_t k = (size_t)_i + 1;
    random_init(&random, 70 + (uint32_t)_i);
    for (int i = 0; i < 60; i++) {
        double credit[AFFERENTS * SPIKES_MOST], expected;
        struct critical_threshold critical;
        draw(&trial, &random);
        bench_init(&bench, &trial);
        bench_take(&bench, 1);
        if (critical_threshold_find(&bench.multi_spike, k, 0, &bench.search, &critical)) {
            critical_threshold_credit(&bench.multi_spike, &critical, &bench.search, credit);
            for (size_t afferent = 0; afferent < AFFERENTS; afferent++) {
                double sum = 0;
                for (size_t s = 0; s < bench.pattern.count; s++)
                    sum += bench.pattern.afferent[s] == afferent ? credit[s] : 0;
                if (!derivative(&trial, 1, afferent, k, &expected))
                    continue;
                ck_assert_double_eq_tol(sum, expected, 1e-6 * fabs(expected) + 1e-10);
                compared++;
            }
        }
        bench_finish(&bench);
    }
    ck_assert_uint_gt(compared, 300);
}
END_TEST

/* A voltage that scales with its weights has thresholds that scale with them (Euler). */
START_TEST(weights_times_their_gradient_are_the_threshold)
{
    struct random random;
    struct trial trial;
    struct bench bench;
    random_init(&random, 8);
    for (int i = 0; i < 200; i++) {
        double credit[AFFERENTS * SPIKES_MOST];
        struct critical_threshold critical;
        draw(&trial, &random);
        bench_init(&bench, &trial);
        bench_take(&bench, 2);
        for (size_t k = 1; k <= 12; k++) {
            double sum = 0;
            if (!critical_threshold_find(&bench.multi_spike, k, 1.5, &bench.search, &critical))
                continue;
            critical_threshold_credit(&bench.multi_spike, &critical, &bench.search, credit);
            for (size_t s = 0; s < bench.pattern.count; s++)
                sum += credit[s] * (double)trial.weight[2 * AFFERENTS + bench.pattern.afferent[s]];
            ck_assert_double_eq_tol(sum, critical.theta, 1e-9 * critical.theta);
        }
        bench_finish(&bench);
    }
}
END_TEST

/* --- training --- */

enum { TASK_AFFERENTS = 60, TASK_OUTPUTS = 2, TASK_SAMPLES = 24, TASK_WINDOW = 200, TASK_RATE = 4 };

/* Random spike trains with random counts wanted. */
struct task {
    uint32_t spikes[TASK_SAMPLES * TASK_AFFERENTS];
    float times[TASK_SAMPLES * TASK_AFFERENTS * TASK_RATE];
    size_t first[TASK_SAMPLES + 1];
    uint32_t wanted[TASK_SAMPLES * TASK_OUTPUTS];
    struct samples samples;
};

static const struct tempotron_params task_shape = {
    CLOCK_GRID, TASK_AFFERENTS, TASK_OUTPUTS, TASK_WINDOW, 20, 5, 1};

static void draw_task(struct task *task)
{
    struct random random;
    size_t count = 0;
    random_init(&random, 21);
    for (size_t b = 0; b < TASK_SAMPLES; b++) {
        task->first[b] = count;
        for (size_t i = 0; i < TASK_AFFERENTS; i++) {
            task->spikes[b * TASK_AFFERENTS + i] = random_bits(&random) % (TASK_RATE + 1);
            for (uint32_t k = 0; k < task->spikes[b * TASK_AFFERENTS + i]; k++)
                task->times[count++] = random_uniform(&random) * TASK_WINDOW;
        }
        for (size_t j = 0; j < TASK_OUTPUTS; j++)
            task->wanted[b * TASK_OUTPUTS + j] = random_bits(&random) % 5;
    }
    task->first[TASK_SAMPLES] = count;
    task->samples =
        view_trains(TASK_SAMPLES, TASK_AFFERENTS, task->spikes, task->times, task->first);
    task->samples.targets =
        (struct targets){.kind = TARGETS_COUNT, .outputs = TASK_OUTPUTS, .wanted = task->wanted};
}

static struct tempotron *task_model(void)
{
    float weight[TASK_OUTPUTS * TASK_AFFERENTS];
    struct tempotron *tempotron;
    tempotron_draw_weight(4, TASK_AFFERENTS, TASK_OUTPUTS, weight);
    ck_assert_int_eq(tempotron_create(&task_shape, weight, &tempotron), CORE_OK);
    return tempotron;
}

static struct count_training_params task_params(size_t epochs, size_t batch_size)
{
    return (struct count_training_params){
        .loop = {.epochs = epochs,
                 .batch_size = batch_size,
                 .schedule = {.type = SCHEDULE_CONSTANT, .learning_rate = 2e-3},
                 .shuffle = true,
                 .seed = 2},
        .max_spikes = 32,
        .momentum = 0.9,
    };
}

static uint32_t fired(const struct task *task, const struct tempotron *tempotron, size_t sample,
                      size_t output)
{
    struct pattern pattern;
    struct multi_spike multi_spike;
    struct spike_train train;
    const size_t capacity = samples_capacity(&task->samples, NULL);
    ck_assert_int_eq(pattern_init(&pattern, capacity, multi_spike_last(&task_shape)), CORE_OK);
    ck_assert_int_eq(multi_spike_init(&multi_spike, capacity), CORE_OK);
    ck_assert_int_eq(spike_train_init(&train, 32), CORE_OK);
    samples_pattern(&task->samples, NULL, sample, &pattern);
    multi_spike_take_pattern(&multi_spike, tempotron, &pattern);
    multi_spike_take_output(&multi_spike, tempotron, &pattern, output);
    multi_spike_fire(&multi_spike, 1, &train);
    const uint32_t count = (uint32_t)train.count;
    spike_train_finish(&train);
    multi_spike_finish(&multi_spike);
    pattern_finish(&pattern);
    return count;
}

START_TEST(counts_are_learned)
{
    static struct task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    draw_task(&task);
    struct tempotron *tempotron = task_model();
    const struct count_training_params params = task_params(600, 1);
    ck_assert_int_eq(tempotron_train_counts(tempotron, &task.samples, &task.samples, NULL, &params,
                                            &observer, NULL),
                     CORE_OK);
    ck_assert_uint_eq(last.epochs, 600);
    ck_assert_double_eq(last.epoch.loss, 0);
    ck_assert_double_eq(last.epoch.accuracy, 1);
    ck_assert(last.epoch.has_validation);
    ck_assert_double_eq(last.epoch.validation_loss, 0);
    ck_assert_double_eq(last.epoch.validation_accuracy, 1);

    for (size_t b = 0; b < TASK_SAMPLES; b++) /* counted again, by themselves */
        for (size_t j = 0; j < TASK_OUTPUTS; j++)
            ck_assert_uint_eq(fired(&task, tempotron, b, j), task.wanted[b * TASK_OUTPUTS + j]);
    tempotron_destroy(tempotron);
}
END_TEST

/* Samples of a task by themselves. */
static struct samples part_of(const struct task *task, size_t first, size_t count)
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
    static struct task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    draw_task(&task);
    const struct samples training = part_of(&task, 0, TASK_SAMPLES / 2);
    const struct samples validation = part_of(&task, TASK_SAMPLES / 2, TASK_SAMPLES / 2);
    struct tempotron *patient = task_model(), *shorter = task_model();
    struct count_training_params params = task_params(1000, 1);
    params.loop.patience = 4;
    ck_assert_int_eq(
        tempotron_train_counts(patient, &training, &validation, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert_uint_gt(last.epochs, params.loop.patience);
    ck_assert_uint_lt(last.epochs, 1000);
    const double after = last.epoch.validation_loss;
    params.loop.epochs = last.epochs - params.loop.patience;
    params.loop.patience = 0;
    last = (struct last_epoch){0};
    ck_assert_int_eq(
        tempotron_train_counts(shorter, &training, &validation, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert_double_lt(last.epoch.validation_loss, after);
    ck_assert(same_tempotron(patient, shorter));
    tempotron_destroy(shorter);
    tempotron_destroy(patient);
}
END_TEST

START_TEST(any_crew_counts_and_learns_the_same_bits)
{
    static struct task task;
    struct last_epoch alone_last = {0};
    struct training_observer observer = {.context = &alone_last, .on_epoch = keep_epoch};
    draw_task(&task);
    struct tempotron *alone = task_model(), *fresh = task_model();
    const struct count_training_params params = task_params(5, 7);
    ck_assert_int_eq(
        tempotron_train_counts(alone, &task.samples, &task.samples, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert(!same_tempotron(alone, fresh));
    for (unsigned size = 1; size <= 3; size++) {
        struct last_epoch last = {0};
        struct thread_team *team = thread_team_create(size);
        struct tempotron *shared = task_model();
        ck_assert_ptr_nonnull(team);
        observer.context = &last;
        ck_assert_int_eq(tempotron_train_counts(shared, &task.samples, &task.samples, NULL, &params,
                                                &observer, team),
                         CORE_OK);
        ck_assert(same_tempotron(alone, shared));
        ck_assert_double_eq(last.epoch.loss, alone_last.epoch.loss);
        ck_assert_double_eq(last.epoch.validation_loss, alone_last.epoch.validation_loss);
        tempotron_destroy(shared);
        thread_team_destroy(team);
    }
    tempotron_destroy(alone);
    tempotron_destroy(fresh);
}
END_TEST

/* What the rule says for the last output, which has fired `count` times: the gradient of each
 * afferent's weight, downwards. */
static void expect_gradient(struct multi_spike *multi_spike, const struct pattern *pattern,
                            size_t count, bool fewer, float *ret_gradient)
{
    struct critical_search search;
    struct critical_threshold critical;
    double *credit = calloc(pattern->count, sizeof *credit);
    ck_assert_int_eq(critical_search_init(&search, 32), CORE_OK);
    ck_assert(
        critical_threshold_find(multi_spike, fewer ? count : count + 1, 0, &search, &critical));
    critical_threshold_credit(multi_spike, &critical, &search, credit);
    for (size_t s = 0; s < pattern->count; s++)
        ret_gradient[pattern->afferent[s]] += (float)(fewer ? credit[s] : -credit[s]);
    critical_search_finish(&search);
    free(credit);
}

/* Wants of each output what it fires but of the last one another count, and learns one step. */
START_TEST(a_step_is_the_rate_times_the_threshold_s_gradient)
{
    static struct task task;
    struct count_trainer *trainer;
    struct count_errors errors = {0};
    struct pattern pattern;
    struct multi_spike multi_spike;
    struct spike_train train;
    float gradient[TASK_AFFERENTS] = {0}, before[TASK_OUTPUTS * TASK_AFFERENTS];
    float after[TASK_OUTPUTS * TASK_AFFERENTS];
    const uint32_t sample = 3;
    const bool fewer = _i == 1;
    draw_task(&task);
    struct tempotron *tempotron = task_model();
    for (size_t i = 0; i < TASK_AFFERENTS * tempotron->stride; i++)
        tempotron->weight[i] += i % tempotron->stride < TASK_OUTPUTS ? 0.1f : 0; /* all fire */
    tempotron_weight(tempotron, before);
    const struct count_trainer_params params = {
        .batch_most = 1, .capacity = samples_capacity(&task.samples, NULL), .max_spikes = 32};
    ck_assert_int_eq(pattern_init(&pattern, params.capacity, multi_spike_last(&task_shape)),
                     CORE_OK);
    ck_assert_int_eq(multi_spike_init(&multi_spike, params.capacity), CORE_OK);
    ck_assert_int_eq(spike_train_init(&train, 32), CORE_OK);
    samples_pattern(&task.samples, NULL, sample, &pattern);
    multi_spike_take_pattern(&multi_spike, tempotron, &pattern);
    uint32_t *wanted = task.wanted + sample * TASK_OUTPUTS;
    for (size_t j = 0; j < TASK_OUTPUTS; j++) {
        multi_spike_take_output(&multi_spike, tempotron, &pattern, j);
        multi_spike_fire(&multi_spike, 1, &train);
        ck_assert_uint_ge(train.count, 1);
        wanted[j] = (uint32_t)train.count;
    }
    expect_gradient(&multi_spike, &pattern, train.count, fewer, gradient);
    wanted[TASK_OUTPUTS - 1] = (uint32_t)(fewer ? train.count - 1 : train.count + 2);

    ck_assert_int_eq(count_trainer_create(tempotron, &params, NULL, NULL, &trainer), CORE_OK);
    ck_assert(count_trainer_step(trainer, &task.samples, &sample, 1, 1e-3, NULL, &errors));
    ck_assert_uint_eq(errors.counts, TASK_OUTPUTS);
    ck_assert_uint_eq(errors.correct, TASK_OUTPUTS - 1);
    ck_assert_uint_eq(errors.error, fewer ? 1 : 2);
    tempotron_weight(tempotron, after);
    for (size_t i = 0; i < TASK_AFFERENTS; i++) {
        const size_t last = (TASK_OUTPUTS - 1) * TASK_AFFERENTS + i;
        ck_assert(after[i] == before[i]);
        ck_assert_float_eq_tol(after[last], before[last] - 1e-3f * gradient[i], 1e-7f);
    }
    count_trainer_destroy(trainer);
    spike_train_finish(&train);
    multi_spike_finish(&multi_spike);
    pattern_finish(&pattern);
    tempotron_destroy(tempotron);
}
END_TEST

/* One step without momentum, from the model's first weights. */
static void step_from_scratch(const struct task *task, const uint32_t *samples, size_t count,
                              float *ret_weight)
{
    struct count_trainer *trainer;
    struct count_errors errors = {0};
    struct tempotron *tempotron = task_model();
    const struct count_trainer_params params = {
        .batch_most = count, .capacity = samples_capacity(&task->samples, NULL), .max_spikes = 32};
    ck_assert_int_eq(count_trainer_create(tempotron, &params, NULL, NULL, &trainer), CORE_OK);
    ck_assert(count_trainer_step(trainer, &task->samples, samples, count, 1e-2, NULL, &errors));
    ck_assert_uint_eq(errors.counts, count * TASK_OUTPUTS);
    tempotron_weight(tempotron, ret_weight);
    count_trainer_destroy(trainer);
    tempotron_destroy(tempotron);
}

START_TEST(a_batch_steps_by_the_mean_of_its_samples)
{
    static struct task task;
    enum { WEIGHTS = TASK_OUTPUTS * TASK_AFFERENTS };
    const uint32_t samples[] = {3, 9, 17};
    float first[WEIGHTS], alone[3][WEIGHTS], together[WEIGHTS];
    size_t moved = 0;
    draw_task(&task);
    struct tempotron *tempotron = task_model();
    tempotron_weight(tempotron, first);
    for (size_t b = 0; b < 3; b++)
        step_from_scratch(&task, &samples[b], 1, alone[b]);
    step_from_scratch(&task, samples, 3, together);
    for (size_t i = 0; i < WEIGHTS; i++) {
        ck_assert_float_eq_tol(together[i], (alone[0][i] + alone[1][i] + alone[2][i]) / 3, 1e-7f);
        moved += fabsf(alone[0][i] - together[i]) > 1e-5f && fabsf(together[i] - first[i]) > 1e-5f;
    }
    ck_assert_uint_gt(moved, WEIGHTS / 2);
    tempotron_destroy(tempotron);
}
END_TEST

/* For all its momentum. */
START_TEST(an_output_without_an_error_does_not_step)
{
    static struct task task;
    struct count_trainer *trainer;
    struct count_errors errors = {0};
    const uint32_t sample = 3;
    draw_task(&task);
    uint32_t *wanted = task.wanted + sample * TASK_OUTPUTS;
    struct tempotron *tempotron = task_model();
    const struct count_trainer_params params = {.batch_most = 1,
                                                .capacity = samples_capacity(&task.samples, NULL),
                                                .max_spikes = 32,
                                                .momentum = 0.9};
    ck_assert_int_eq(count_trainer_create(tempotron, &params, NULL, NULL, &trainer), CORE_OK);
    wanted[0] = fired(&task, tempotron, sample, 0) + 1;
    wanted[1] = fired(&task, tempotron, sample, 1) + 1;
    ck_assert(count_trainer_step(trainer, &task.samples, &sample, 1, 1e-3, NULL, &errors));
    ck_assert_uint_eq(errors.correct, 0);
    for (uint32_t wrong = 0; wrong < 2; wrong++) { /* none, then the second */
        struct tempotron *before;
        errors = (struct count_errors){0};
        wanted[0] = fired(&task, tempotron, sample, 0);
        wanted[1] = fired(&task, tempotron, sample, 1) + wrong;
        ck_assert_int_eq(tempotron_copy(tempotron, &before), CORE_OK);
        ck_assert(count_trainer_step(trainer, &task.samples, &sample, 1, 1e-3, NULL, &errors));
        ck_assert_uint_eq(errors.correct, 2 - wrong);
        ck_assert(same_tempotron(tempotron, before) == (wrong == 0));
        for (size_t i = 0; i < TASK_AFFERENTS; i++)
            ck_assert(tempotron->weight[i * before->stride] == before->weight[i * before->stride]);
        tempotron_destroy(before);
    }
    count_trainer_destroy(trainer);
    tempotron_destroy(tempotron);
}
END_TEST

static bool after_forty(void *context)
{
    return ++*(unsigned *)context > 40;
}

START_TEST(an_observer_ends_it_and_weights_that_are_not_finite_do)
{
    static struct task task;
    unsigned asked = 0;
    const struct training_observer observer = {.context = &asked, .stop_requested = after_forty};
    draw_task(&task);
    struct tempotron *tempotron = task_model();
    struct count_training_params params = task_params(1000, 5);
    ck_assert_int_eq(
        tempotron_train_counts(tempotron, &task.samples, NULL, NULL, &params, &observer, NULL),
        CORE_STOPPED);
    ck_assert_uint_ge(asked, 41);
    params.loop.schedule.learning_rate = 1e38;
    ck_assert_int_eq(
        tempotron_train_counts(tempotron, &task.samples, NULL, NULL, &params, NULL, NULL),
        CORE_DIVERGED);
    tempotron_destroy(tempotron);
}
END_TEST

/* No spike could make an output of negative weights fire: it learns from the last one. */
START_TEST(a_silent_output_learns_to_fire)
{
    static struct task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    draw_task(&task);
    struct tempotron *tempotron = task_model();
    for (size_t i = 0; i < TASK_AFFERENTS * tempotron->stride; i++)
        tempotron->weight[i] = -fabsf(tempotron->weight[i]);
    const struct count_training_params params = task_params(600, 1);
    ck_assert_int_eq(
        tempotron_train_counts(tempotron, &task.samples, NULL, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert_double_eq(last.epoch.loss, 0);
    tempotron_destroy(tempotron);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike count");
    TCase *tests = tcase_create("spike count");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, spikes_are_where_the_voltage_reaches_the_threshold, 0, 2);
    tcase_add_test(tests, spikes_agree_with_a_simulation_in_small_steps);
    tcase_add_test(tests, a_strong_input_fires_until_the_train_is_full);
    tcase_add_loop_test(tests, a_critical_threshold_is_the_largest_with_so_many_spikes, 0, 2);
    tcase_add_test(tests, critical_thresholds_agree_with_counting);
    tcase_add_test(tests, a_neuron_that_never_rises_has_no_critical_threshold);
    tcase_add_loop_test(tests, gradients_agree_with_finite_differences, 0, 5);
    tcase_add_test(tests, weights_times_their_gradient_are_the_threshold);
    tcase_add_test(tests, counts_are_learned);
    tcase_add_test(tests, patience_keeps_the_best_epoch_of_counts);
    tcase_add_test(tests, any_crew_counts_and_learns_the_same_bits);
    tcase_add_loop_test(tests, a_step_is_the_rate_times_the_threshold_s_gradient, 0, 2);
    tcase_add_test(tests, a_batch_steps_by_the_mean_of_its_samples);
    tcase_add_test(tests, an_output_without_an_error_does_not_step);
    tcase_add_test(tests, an_observer_ends_it_and_weights_that_are_not_finite_do);
    tcase_add_test(tests, a_silent_output_learns_to_fire);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
