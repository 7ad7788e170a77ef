/* Both clocks against the dense reference, and the continuous one's own traps. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/membranes.h"
#include "core/random.h"
#include "core/samples.h"
#include "core/simd.h"
#include "tests/support/dense.h"
#include "tests/support/run_pattern.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

enum { AFFERENTS = 12, OUTPUTS = 3, MAX_SPIKES = 3 };

/* A model and a sample of spike trains. */
struct trial {
    struct tempotron_params params;
    struct dense_kernel kernel;
    float weight[OUTPUTS * AFFERENTS];
    uint32_t spikes[AFFERENTS];
    float times[AFFERENTS * MAX_SPIKES];
    size_t first[2];

    /* One for each spike, for the reference. */
    double spike_time[AFFERENTS * MAX_SPIKES];
    double spike_weight[OUTPUTS][AFFERENTS * MAX_SPIKES];
};

static void draw_weights(struct trial *trial, struct random *random)
{
    for (size_t i = 0; i < OUTPUTS * AFFERENTS; i++)
        trial->weight[i] = 2 * random_uniform(random) - 1;
}

/* Draws 0 to 3 spikes an afferent, some too late, some at the same time; whole numbers or not. */
static void draw_spikes(struct trial *trial, struct random *random, bool whole)
{
    size_t count = 0;
    for (size_t i = 0; i < AFFERENTS; i++) {
        trial->spikes[i] = random_bits(random) % (MAX_SPIKES + 1);
        for (uint32_t k = 0; k < trial->spikes[i]; k++, count++) {
            const float time = random_uniform(random) * (float)(trial->params.T + 5);
            trial->times[count] = whole || random_bits(random) % 8 == 0 ? floorf(time) : time;
            trial->spike_time[count] = (double)trial->times[count];
            for (size_t j = 0; j < OUTPUTS; j++)
                trial->spike_weight[j][count] = (double)trial->weight[j * AFFERENTS + i];
        }
    }
    trial->first[1] = count;
}

static void draw(struct trial *trial, enum tempotron_clock clock, struct random *random, bool whole)
{
    *trial = (struct trial){0};
    const double tau = 3 + 20 * (double)random_uniform(random);
    const double ratio = 0.1 + 0.8 * (double)random_uniform(random);
    trial->params = (struct tempotron_params){.clock = clock,
                                              .in_features = AFFERENTS,
                                              .out_features = OUTPUTS,
                                              .T = 8 + random_bits(random) % 20,
                                              .tau = tau,
                                              .tau_s = tau * ratio,
                                              .v_threshold = 1.5};
    if (random_bits(random) % 8 == 0) { /* the synapse may be the slower one */
        trial->params.tau = tau * ratio;
        trial->params.tau_s = tau;
    }
    trial->kernel = (struct dense_kernel){
        .tau = trial->params.tau, .tau_s = trial->params.tau_s, .v_threshold = 1.5};
    draw_weights(trial, random);
    draw_spikes(trial, random, whole);
}

struct outcome {
    float v_max[OUTPUTS];
    double t_max[OUTPUTS];
    float *v; /* [OUTPUTS][T] */
};

static void run(const struct trial *trial, struct outcome *outcome)
{
    struct arena arena = {0};
    struct pattern pattern;
    struct membranes membranes;
    const struct samples set = view_trains(1, AFFERENTS, trial->spikes, trial->times, trial->first);
    const size_t capacity = samples_capacity(&set, NULL);
    outcome->v = calloc(OUTPUTS * trial->params.T, sizeof *outcome->v);
    struct tempotron *tempotron = tempotron_create(&trial->params, trial->weight, &arena);
    pattern_init(&pattern, capacity, tempotron_last(&trial->params), &arena);
    membranes_init(&membranes, tempotron, &arena);
    samples_pattern(&set, NULL, 0, &pattern);
    for (int again = 0; again < 2; again++) /* scratch memory is as good the second time */
        run_pattern(tempotron, &pattern, &membranes, outcome->v);
    memcpy(outcome->v_max, membranes.v_max, sizeof outcome->v_max);
    memcpy(outcome->t_max, membranes.t_max, sizeof outcome->t_max);
    arena_finish(&arena);
}

static void compare(const struct trial *trial, double tolerance)
{
    const double T = (double)trial->params.T;
    struct outcome outcome;
    run(trial, &outcome);
    for (size_t j = 0; j < OUTPUTS; j++) {
        double time;
        const struct dense_spikes spikes = {
            .count = trial->first[1], .weight = trial->spike_weight[j], .time = trial->spike_time};
        const double v_max = trial->params.clock == CLOCK_GRID
                                 ? dense_grid_max(&trial->kernel, &spikes, trial->params.T, &time)
                                 : dense_continuous_max(&trial->kernel, &spikes, T, &time);
        ck_assert_double_eq_tol((double)outcome.v_max[j], v_max, tolerance);
        ck_assert_double_eq_tol(dense_voltage(&trial->kernel, &spikes, outcome.t_max[j]), v_max,
                                tolerance);
        if (trial->params.clock == CLOCK_CONTINUOUS) /* both references agree */
            ck_assert_double_eq_tol(dense_intervals_max(&trial->kernel, &spikes, T, &time), v_max,
                                    1e-9);
        for (size_t t = 0; t < trial->params.T; t++)
            ck_assert_double_eq_tol((double)outcome.v[j * trial->params.T + t],
                                    dense_voltage(&trial->kernel, &spikes, (double)t), tolerance);
    }
    free(outcome.v);
}

START_TEST(the_grid_agrees_with_the_definition)
{
    struct random random;
    struct trial trial;
    random_init(&random, 1);
    for (int i = 0; i < 2000; i++) {
        draw(&trial, CLOCK_GRID, &random, i % 2 == 0);
        compare(&trial, 1e-5 * 20);
    }
}
END_TEST

START_TEST(the_continuous_clock_finds_what_a_search_finds)
{
    struct random random;
    struct trial trial;
    random_init(&random, 2 + (uint32_t)_i);
    for (int i = 0; i < 300; i++) {
        draw(&trial, CLOCK_CONTINUOUS, &random, i % 4 == 0);
        compare(&trial, 2e-6);
    }
}
END_TEST

/* The maximum of a neuron in continuous time, whose afferents have these weights and a spike each.
 */
struct maximum {
    float v;
    double t;
};

static struct maximum maximum_of(const struct psp *psp, size_t T, size_t count, const float *weight,
                                 const float *time)
{
    struct arena arena = {0};
    const struct tempotron_params params = {CLOCK_CONTINUOUS, count, 1, T, psp->tau, psp->tau_s, 1};
    struct pattern pattern;
    struct membranes membranes;
    const struct tempotron *tempotron = tempotron_create(&params, weight, &arena);
    pattern_init(&pattern, count, tempotron_last(&params), &arena);
    membranes_init(&membranes, tempotron, &arena);
    ck_assert_int_eq(arena_status(&arena), CORE_OK);
    pattern_clear(&pattern);
    for (uint32_t i = 0; i < count; i++)
        pattern_add(&pattern, i, time[i]);
    run_pattern(tempotron, &pattern, &membranes, NULL);
    const struct maximum maximum = {membranes.v_max[0], membranes.t_max[0]};
    arena_finish(&arena);
    return maximum;
}

START_TEST(a_maximum_may_lie_on_a_kink)
{
    static const float weight[] = {1, -0.4f}, time[] = {100, 102};
    struct psp psp;
    psp_init(&psp, 10, 2.5, 1);
    const struct maximum maximum = maximum_of(&psp, 200, 2, weight, time);
    ck_assert_float_eq_tol(maximum.v, 0.782f, 1e-3f);
    ck_assert_double_eq(maximum.t, 102);
}
END_TEST

static const float one[] = {1};

/* Gaps of thousands of time constants: what has decayed to nothing was something before. */
START_TEST(a_maximum_is_found_however_long_the_interval_after_it)
{
    static const struct {
        size_t T;
        double tau;
    } rows[] = {{12000, 15}, {1000, 1}, {100000, 0.004}};
    for (size_t i = 0; i < 3; i++) {
        struct psp psp;
        psp_init(&psp, rows[i].tau, rows[i].tau / 4, 1);
        const struct maximum maximum = maximum_of(&psp, rows[i].T, 1, one, (float[]){100});
        ck_assert_float_eq_tol(maximum.v, 1, 1e-6f);
        ck_assert_double_eq_tol(maximum.t, 100 + psp.t_peak, 1e-9 * 100);
    }
}
END_TEST

/* The window ends while the voltage rises. */
START_TEST(a_maximum_may_lie_at_the_end)
{
    struct psp psp;
    psp_init(&psp, 15, 3.75, 1);
    const struct maximum maximum = maximum_of(&psp, 10, 1, one, (float[]){9.5f});
    ck_assert_double_eq(maximum.t, 10);
    ck_assert_float_eq_tol(maximum.v, (float)psp_value(&psp, 0.5), 1e-6f);
}
END_TEST

/* --- gradients --- */

static double maximum(const struct trial *trial, size_t output, double *ret_time)
{
    const struct dense_spikes spikes = {
        .count = trial->first[1], .weight = trial->spike_weight[output], .time = trial->spike_time};
    if (trial->params.clock == CLOCK_GRID)
        return dense_grid_max(&trial->kernel, &spikes, trial->params.T, ret_time);
    return dense_continuous_max(&trial->kernel, &spikes, (double)trial->params.T, ret_time);
}

/* The derivative of v_max by one weight: all spikes of the afferent move together. */
static double difference(struct trial *trial, size_t output, size_t afferent, bool *ret_jumps)
{
    const double step = 1e-5;
    double low_time, high_time;
    size_t from = 0;
    for (size_t i = 0; i < afferent; i++)
        from += trial->spikes[i];
    double *weight = trial->spike_weight[output] + from;
    for (uint32_t k = 0; k < trial->spikes[afferent]; k++)
        weight[k] -= step;
    const double low = maximum(trial, output, &low_time);
    for (uint32_t k = 0; k < trial->spikes[afferent]; k++)
        weight[k] += 2 * step;
    const double high = maximum(trial, output, &high_time);
    for (uint32_t k = 0; k < trial->spikes[afferent]; k++)
        weight[k] -= step;
    *ret_jumps = fabs(high_time - low_time) > 1e-2;
    return (high - low) / (2 * step);
}

static size_t compare_gradient(struct trial *trial)
{
    struct arena arena = {0};
    _Alignas(SIMD_ALIGNMENT) float dv[LANES] = {1, 1, 1}, gradient[AFFERENTS * LANES] = {0};
    struct pattern pattern;
    struct timeline timeline;
    struct membranes membranes;
    struct credit credit;
    const struct samples set = view_trains(1, AFFERENTS, trial->spikes, trial->times, trial->first);
    const size_t capacity = samples_capacity(&set, NULL);
    struct tempotron *tempotron = tempotron_create(&trial->params, trial->weight, &arena);
    pattern_init(&pattern, capacity, tempotron_last(&trial->params), &arena);
    membranes_init(&membranes, tempotron, &arena);
    timeline_init(&timeline, trial->params.clock, capacity, &arena);
    credit_init(&credit, tempotron, capacity, &arena);
    samples_pattern(&set, NULL, 0, &pattern);
    timeline_read(&timeline, tempotron, &pattern);
    membranes_run(tempotron, &pattern, &timeline, &membranes, NULL);
    const struct voltage_gradient voltage_gradient = {.at = membranes.t_max, .amount = dv};
    membranes_backward(tempotron, &pattern, &timeline, &voltage_gradient, &membranes, &credit);
    credit_add(&credit, &pattern, &timeline, 0, AFFERENTS / 2, gradient); /* in two parts */
    credit_add(&credit, &pattern, &timeline, AFFERENTS / 2, AFFERENTS, gradient);
    size_t compared = 0;
    for (size_t j = 0; j < OUTPUTS; j++) {
        for (size_t i = 0; i < AFFERENTS; i += 3) {
            bool jumps;
            const double expected = difference(trial, j, i, &jumps);
            if (jumps)
                continue;
            ck_assert_double_eq_tol((double)gradient[i * LANES + j], expected, 3e-4);
            compared++;
        }
    }
    arena_finish(&arena);
    return compared;
}

START_TEST(gradients_agree_with_finite_differences)
{
    struct random random;
    struct trial trial;
    size_t compared = 0;
    random_init(&random, 9);
    for (int i = 0; i < 20; i++) {
        draw(&trial, _i == 0 ? CLOCK_GRID : CLOCK_CONTINUOUS, &random, false);
        compared += compare_gradient(&trial);
    }
    ck_assert_uint_gt(compared, 120);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clocks");
    TCase *tests = tcase_create("clocks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_grid_agrees_with_the_definition);
    tcase_add_loop_test(tests, the_continuous_clock_finds_what_a_search_finds, 0, 4);
    tcase_add_test(tests, a_maximum_may_lie_on_a_kink);
    tcase_add_test(tests, a_maximum_may_lie_at_the_end);
    tcase_add_test(tests, a_maximum_is_found_however_long_the_interval_after_it);
    tcase_add_loop_test(tests, gradients_agree_with_finite_differences, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
