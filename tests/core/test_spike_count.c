/* Outputs that fire many times: their spikes, their critical thresholds, and what they learn. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/critical_threshold.h"
#include "core/learner.h"
#include "core/multi_spike.h"
#include "core/random.h"
#include "core/samples.h"
#include "core/spike_counter.h"
#include "core/training.h"
#include "server/base/team_threads.h"
#include "tests/support/dense.h"
#include "tests/support/single_layer.h"
#include "tests/support/suite.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

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
    struct timeline timeline;
    struct multi_spike multi_spike;
    struct spike_train train;
    struct critical_search search;
};

static void bench_init(struct bench *bench, const struct trial *trial)
{
    const size_t capacity = AFFERENTS * SPIKES_MOST;
    const struct samples set = view_trains(1, AFFERENTS, trial->spikes, trial->times, trial->first);
    ck_assert_int_eq(tempotron_create(&trial->params, trial->weight, &bench->tempotron), CORE_OK);
    ck_assert_int_eq(pattern_init(&bench->pattern, capacity, tempotron_last(&trial->params)),
                     CORE_OK);
    ck_assert_int_eq(timeline_init(&bench->timeline, CLOCK_CONTINUOUS, capacity), CORE_OK);
    ck_assert_int_eq(multi_spike_init(&bench->multi_spike, capacity), CORE_OK);
    ck_assert_int_eq(spike_train_init(&bench->train, TRAIN_MOST), CORE_OK);
    ck_assert_int_eq(critical_search_init(&bench->search, TRAIN_MOST), CORE_OK);
    samples_pattern(&set, NULL, 0, &bench->pattern);
    timeline_read(&bench->timeline, bench->tempotron, &bench->pattern);
    multi_spike_take_pattern(&bench->multi_spike, bench->tempotron, &bench->pattern,
                             &bench->timeline);
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
    timeline_finish(&bench->timeline);
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
        if (fired == train->max)
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
    struct timeline timeline;
    struct multi_spike multi_spike;
    struct spike_train train;
    ck_assert_int_eq(tempotron_create(&params, weight, &tempotron), CORE_OK);
    ck_assert_int_eq(pattern_init(&pattern, 1, tempotron_last(&params)), CORE_OK);
    ck_assert_int_eq(timeline_init(&timeline, CLOCK_CONTINUOUS, 1), CORE_OK);
    ck_assert_int_eq(multi_spike_init(&multi_spike, 1), CORE_OK);
    ck_assert_int_eq(spike_train_init(&train, 1000), CORE_OK);
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
    spike_train_finish(&train);
    multi_spike_finish(&multi_spike);
    timeline_finish(&timeline);
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
    return found && low.before == high.before && low.interval == high.interval;
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

static const struct network_params task_shape = {
    .tempotron = {CLOCK_CONTINUOUS, TASK_AFFERENTS, TASK_OUTPUTS, TASK_WINDOW, 20, 5, 1},
    .read_out = {.kind = READ_OUT_SPIKE_COUNT, .spike_count = {.max_spikes = 32}},
};

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

static struct network *task_model(void)
{
    float weight[TASK_OUTPUTS * TASK_AFFERENTS];
    const float *const layers[] = {weight};
    struct network *network;
    network_draw_weight(&task_shape, 0, 4, weight);
    ck_assert_int_eq(network_create(&task_shape, layers, &network), CORE_OK);
    return network;
}

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

/* What the outputs of a network are counted with, once it has taken a sample. */
struct counting {
    const struct layer *layer;
    struct activity activity;
    struct layer_activity *last;
    struct read_out_scratch scratch;
};

static void counting_init(struct counting *counting, const struct task *task,
                          const struct network *network, size_t sample)
{
    const size_t capacity = samples_capacity(&task->samples, NULL);
    *counting =
        (struct counting){.layer = &network->layers[0], .last = &counting->activity.layers[0]};
    ck_assert_int_eq(activity_init(&counting->activity, network, capacity), CORE_OK);
    ck_assert_int_eq(read_out_scratch_init(&counting->scratch, network, capacity, true), CORE_OK);
    samples_pattern(&task->samples, NULL, sample, activity_input(&counting->activity));
    activity_forward(network, &counting->scratch.membranes, &counting->activity);
    spike_counter_take_pattern(&counting->scratch.counter, counting->layer,
                               &counting->last->pattern, &counting->last->timeline);
}

static size_t counting_count(struct counting *counting, size_t output)
{
    return spike_counter_count(&counting->scratch.counter, counting->layer,
                               &counting->last->pattern, output);
}

static void counting_finish(struct counting *counting)
{
    read_out_scratch_finish(&counting->scratch);
    activity_finish(&counting->activity);
}

static uint32_t fired(const struct task *task, const struct network *network, size_t sample,
                      size_t output)
{
    struct counting counting;
    counting_init(&counting, task, network, sample);
    const size_t count = counting_count(&counting, output);
    counting_finish(&counting);
    return (uint32_t)count;
}

/* A learner of one batch after the other. */
static struct learner *task_learner(const struct task *task, struct network *network,
                                    const struct training_params *params)
{
    const struct learner_options options = {.params = params,
                                            .capacity = samples_capacity(&task->samples, NULL),
                                            .batch_size = params->loop.batch_size};
    struct learner *learner;
    ck_assert_int_eq(learner_create(network, &options, &learner), CORE_OK);
    return learner;
}

static struct learner_sums learn(struct learner *learner, const struct task *task,
                                 const uint32_t *samples, size_t count, double learning_rate)
{
    const struct batch batch = {
        .epoch = 1, .samples = samples, .count = count, .learning_rate = learning_rate};
    struct learner_sums sums = {0};
    ck_assert_int_eq(learner_batch(learner, &task->samples, &batch, &sums), CORE_OK);
    return sums;
}

START_TEST(counts_are_learned)
{
    static struct task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    draw_task(&task);
    struct network *network = task_model();
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
            ck_assert_uint_eq(fired(&task, network, b, j), task.wanted[b * TASK_OUTPUTS + j]);
    network_destroy(network);
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
    struct network *patient = task_model(), *shorter = task_model();
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

START_TEST(any_crew_counts_and_learns_the_same_bits)
{
    static struct task task;
    struct last_epoch alone_last = {0};
    struct training_observer observer = {.context = &alone_last, .on_epoch = keep_epoch};
    draw_task(&task);
    struct network *alone = task_model(), *fresh = task_model();
    const struct training_params params = task_params(5, 7);
    ck_assert_int_eq(
        network_train(alone, &task.samples, &task.samples, NULL, &params, &observer, NULL),
        CORE_OK);
    ck_assert(!same_weights(alone, fresh));
    for (unsigned size = 1; size <= 3; size++) {
        struct last_epoch last = {0};
        struct thread_team *team = team_threads_create(size);
        struct network *shared = task_model();
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

/* What the rule says for the output that was counted last, `count` times: the gradient of each
 * afferent's weight, downwards. */
static void expect_gradient(struct counting *counting, size_t count, bool fewer,
                            float *ret_gradient)
{
    struct spike_counter *counter = &counting->scratch.counter;
    const struct pattern *pattern = &counting->last->pattern;
    struct critical_threshold critical;
    ck_assert(critical_threshold_find(&counter->multi_spike, fewer ? count : count + 1, 0,
                                      &counter->search, &critical));
    critical_threshold_credit(&counter->multi_spike, &critical, &counter->search, counter->credit);
    for (size_t s = 0; s < pattern->count; s++)
        ret_gradient[pattern->afferent[s]] +=
            (float)(fewer ? counter->credit[s] : -counter->credit[s]);
}

/* Wants of each output what it fires but of the last one another count, and learns one step. */
START_TEST(a_step_is_the_rate_times_the_threshold_s_gradient)
{
    static struct task task;
    struct counting counting;
    float gradient[TASK_AFFERENTS] = {0}, before[TASK_OUTPUTS * TASK_AFFERENTS];
    float after[TASK_OUTPUTS * TASK_AFFERENTS];
    size_t count = 0;
    const uint32_t sample = 3;
    const bool fewer = _i == 1;
    draw_task(&task);
    struct network *network = task_model();
    struct tempotron *block = single_block(network);
    for (size_t i = 0; i < TASK_AFFERENTS * block->stride; i++)
        block->weight[i] += i % block->stride < TASK_OUTPUTS ? 0.1f : 0; /* all fire */
    single_layer_weight(network, before);
    counting_init(&counting, &task, network, sample);
    uint32_t *wanted = task.wanted + sample * TASK_OUTPUTS;
    for (size_t j = 0; j < TASK_OUTPUTS; j++) {
        count = counting_count(&counting, j);
        ck_assert_uint_ge(count, 1);
        wanted[j] = (uint32_t)count;
    }
    expect_gradient(&counting, count, fewer, gradient);
    wanted[TASK_OUTPUTS - 1] = (uint32_t)(fewer ? count - 1 : count + 2);

    const struct training_params params = {.loop.batch_size = 1};
    struct learner *learner = task_learner(&task, network, &params);
    const struct learner_sums sums = learn(learner, &task, &sample, 1, 1e-3);
    ck_assert_uint_eq(sums.decisions, TASK_OUTPUTS);
    ck_assert_uint_eq(sums.correct, TASK_OUTPUTS - 1);
    ck_assert_double_eq(sums.loss, fewer ? 1 : 2);
    single_layer_weight(network, after);
    for (size_t i = 0; i < TASK_AFFERENTS; i++) {
        const size_t last = (TASK_OUTPUTS - 1) * TASK_AFFERENTS + i;
        ck_assert(after[i] == before[i]);
        ck_assert_float_eq_tol(after[last], before[last] - 1e-3f * gradient[i], 1e-7f);
    }
    learner_destroy(learner);
    counting_finish(&counting);
    network_destroy(network);
}
END_TEST

/* One step without momentum, from the model's first weights. */
static void step_from_scratch(const struct task *task, const uint32_t *samples, size_t count,
                              float *ret_weight)
{
    struct network *network = task_model();
    const struct training_params params = {.loop.batch_size = count};
    struct learner *learner = task_learner(task, network, &params);
    ck_assert_uint_eq(learn(learner, task, samples, count, 1e-2).decisions, count * TASK_OUTPUTS);
    single_layer_weight(network, ret_weight);
    learner_destroy(learner);
    network_destroy(network);
}

START_TEST(a_batch_steps_by_the_mean_of_its_samples)
{
    static struct task task;
    enum { WEIGHTS = TASK_OUTPUTS * TASK_AFFERENTS };
    const uint32_t samples[] = {3, 9, 17};
    float first[WEIGHTS], alone[3][WEIGHTS], together[WEIGHTS];
    size_t moved = 0;
    draw_task(&task);
    struct network *network = task_model();
    single_layer_weight(network, first);
    for (size_t b = 0; b < 3; b++)
        step_from_scratch(&task, &samples[b], 1, alone[b]);
    step_from_scratch(&task, samples, 3, together);
    for (size_t i = 0; i < WEIGHTS; i++) {
        ck_assert_float_eq_tol(together[i], (alone[0][i] + alone[1][i] + alone[2][i]) / 3, 1e-7f);
        moved += fabsf(alone[0][i] - together[i]) > 1e-5f && fabsf(together[i] - first[i]) > 1e-5f;
    }
    ck_assert_uint_gt(moved, WEIGHTS / 2);
    network_destroy(network);
}
END_TEST

/* For all its momentum. */
START_TEST(an_output_without_an_error_does_not_step)
{
    static struct task task;
    const uint32_t sample = 3;
    draw_task(&task);
    uint32_t *wanted = task.wanted + sample * TASK_OUTPUTS;
    struct network *network = task_model();
    const struct training_params params = {.loop.batch_size = 1, .momentum = 0.9};
    struct learner *learner = task_learner(&task, network, &params);
    wanted[0] = fired(&task, network, sample, 0) + 1;
    wanted[1] = fired(&task, network, sample, 1) + 1;
    ck_assert_uint_eq(learn(learner, &task, &sample, 1, 1e-3).correct, 0);
    for (uint32_t wrong = 0; wrong < 2; wrong++) { /* none, then the second */
        struct network *before;
        wanted[0] = fired(&task, network, sample, 0);
        wanted[1] = fired(&task, network, sample, 1) + wrong;
        ck_assert_int_eq(network_copy(network, &before), CORE_OK);
        ck_assert_uint_eq(learn(learner, &task, &sample, 1, 1e-3).correct, 2 - wrong);
        ck_assert(same_weights(network, before) == (wrong == 0));
        const struct tempotron *now = single_block(network), *then = single_block(before);
        for (size_t i = 0; i < TASK_AFFERENTS; i++)
            ck_assert(now->weight[i * now->stride] == then->weight[i * then->stride]);
        network_destroy(before);
    }
    learner_destroy(learner);
    network_destroy(network);
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
    struct network *network = task_model();
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
    static struct task task;
    struct last_epoch last = {0};
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    draw_task(&task);
    struct network *network = task_model();
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
