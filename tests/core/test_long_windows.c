/* Windows in which the last spike is long past: what a membrane keeps of it becomes exactly 0, and
 * is never a denormal number, which would make every step slow. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "core/credit.h"
#include "core/critical_threshold.h"
#include "core/membrane_state.h"
#include "core/membranes.h"
#include "core/multi_spike.h"
#include "tests/support/run_pattern.h"
#include "tests/support/suite.h"

static void expect_normal_or_zero(double number)
{
    const int kind = fpclassify(number);
    ck_assert_msg(kind == FP_ZERO || kind == FP_NORMAL, "%g", number);
}

START_TEST(numbers_settle)
{
    ck_assert(psp_settle(1e-201) == 0 && psp_settle(-1e-201) == 0);
    ck_assert(psp_settle(4.9e-324) == 0 && psp_settle(-4.9e-324) == 0);
    ck_assert_double_eq(psp_settle(1e-199), 1e-199);
    ck_assert_double_eq(psp_settle(-1e-199), -1e-199);
    ck_assert(isnan(psp_settle((double)NAN)));
    ck_assert(isinf(psp_settle(-(double)INFINITY)));
}
END_TEST

/* As the clock of steps runs it, forwards and backwards. */
START_TEST(a_state_on_the_grid_becomes_zero)
{
    static const double taus[][2] = {{15, 3.75}, {2000, 500}, {3, 40}, {0.2, 0.1}};
    const lanes spike = {1, -1, 1e-30f, 1e30f, NAN, 0, 3, -7}, none = {0};
    struct psp psp;
    struct membrane_state state = {0};
    psp_init(&psp, taus[_i][0], taus[_i][1], 1);
    membrane_state_advance(&psp, &spike, &state);
    for (size_t t = 1; t < 2000000; t++) {
        membrane_state_settle(&state, t);
        if (t % PSP_SETTLES == 0)
            for (size_t l = 0; l < LANES / 2 - 1; l++) {
                expect_normal_or_zero(state.v.low[l]);
                expect_normal_or_zero(state.m.low[l]);
            }
        membrane_state_advance(&psp, &none, &state);
    }
    for (size_t l = 0; l < LANES / 2; l++) {
        ck_assert(state.v.low[l] == 0 && state.m.low[l] == 0);
        ck_assert(l == 0 || (state.v.high[l] == 0 && state.m.high[l] == 0));
    }
    ck_assert(isnan(state.v.high[0]) && isnan(state.m.high[0])); /* which settles nothing */
}
END_TEST

/* A neuron whose only weight is that of the first of many spikes. */
enum { SPIKES = 20000, TRAINED = 20 };

struct early {
    struct tempotron *tempotron;
    struct pattern pattern;
    struct timeline timeline;
    struct arena arena;
};

static void early_init(struct early *early)
{
    const struct tempotron_params params = {CLOCK_CONTINUOUS, SPIKES, 1, SPIKES, 20, 5, 1};
    early->arena = (struct arena){0};
    early->tempotron = tempotron_create(&params, NULL, &early->arena);
    pattern_init(&early->pattern, SPIKES, SPIKES, &early->arena);
    timeline_init(&early->timeline, CLOCK_CONTINUOUS, SPIKES, &early->arena);
    early->tempotron->weight[0] = 1.5f;
    pattern_clear(&early->pattern);
    for (size_t i = 0; i < SPIKES; i++)
        pattern_add(&early->pattern, i, (float)i);
    timeline_read(&early->timeline, early->tempotron, &early->pattern);
}

START_TEST(exponentials_in_continuous_time_become_zero)
{
    struct early early;
    struct membranes membranes;
    struct credit credit;
    early_init(&early);
    membranes_init(&membranes, early.tempotron, &early.arena);
    credit_init(&credit, early.tempotron, SPIKES, &early.arena);
    run_pattern(early.tempotron, &early.pattern, &membranes, NULL);
    ck_assert_float_eq_tol(membranes.v_max[0], 1.5f, 1e-6f);
    ck_assert(membranes.slow[0] == 0 && membranes.fast[0] == 0);

    double at[LANES] = {SPIKES - 0.5};
    _Alignas(SIMD_ALIGNMENT) float amount[LANES] = {1};
    const struct voltage_gradient gradient = {.at = at, .amount = amount};
    membranes_backward(early.tempotron, &early.pattern, &early.timeline, &gradient, &membranes,
                       &credit);
    ck_assert_float_gt(credit.rise[(SPIKES - 5) * credit.stride], 0.5f);
    ck_assert(membranes.slow[0] == 0 && membranes.fast[0] == 0);
    arena_finish(&early.arena);
}
END_TEST

START_TEST(exponentials_of_outputs_that_fire_often_become_zero)
{
    struct early early;
    struct multi_spike multi_spike;
    struct spike_train train;
    struct critical_search search;
    struct critical_threshold critical;
    early_init(&early);
    double *credit = calloc(SPIKES, sizeof *credit);
    multi_spike_init(&multi_spike, SPIKES, &early.arena);
    spike_train_init(&train, TRAINED, &early.arena);
    critical_search_init(&search, TRAINED, &early.arena);
    multi_spike_take_pattern(&multi_spike, early.tempotron, &early.pattern, &early.timeline);
    multi_spike_take_output(&multi_spike, early.tempotron, &early.pattern, 0);
    multi_spike_fire(&multi_spike, 1, &train);
    ck_assert_uint_eq(train.count, 1);
    for (size_t e = 0; e <= SPIKES; e++) {
        expect_normal_or_zero(multi_spike.slow[e]);
        expect_normal_or_zero(multi_spike.fast[e]);
    }
    ck_assert(multi_spike.slow[SPIKES] == 0 && multi_spike.fast[SPIKES] == 0);

    /* The first spikes have no share in a threshold that is touched at the end. */
    early.tempotron->weight[0] = 0;
    early.tempotron->weight[(SPIKES - 10) * early.tempotron->stride] = 1;
    multi_spike_take_output(&multi_spike, early.tempotron, &early.pattern, 0);
    ck_assert(critical_threshold_find(&multi_spike, 1, 0, &search, &critical));
    critical_threshold_credit(&multi_spike, &critical, &search, credit);
    ck_assert_double_gt(credit[SPIKES - 10], 0.5);
    for (size_t s = 0; s < SPIKES; s++)
        expect_normal_or_zero(credit[s]);
    ck_assert(credit[0] == 0 && credit[SPIKES / 4] == 0);
    free(credit);
    arena_finish(&early.arena);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("long windows");
    TCase *tests = tcase_create("long windows");
    tcase_add_test(tests, numbers_settle);
    tcase_add_loop_test(tests, a_state_on_the_grid_becomes_zero, 0, 4);
    tcase_add_test(tests, exponentials_in_continuous_time_become_zero);
    tcase_add_test(tests, exponentials_of_outputs_that_fire_often_become_zero);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
