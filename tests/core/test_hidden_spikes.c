/* When hidden neurons fire, on both clocks, against the dense reference; and that their spikes are
 * what the next layer gets. The widths lie around the borders of blocks and vectors. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/activity.h"
#include "core/random.h"
#include "core/samples.h"
#include "core/v_max_reading.h"
#include "tests/support/dense.h"
#include "tests/support/suite.h"
#include "tests/support/views.h"

enum { AFFERENTS = 14, MAX_SPIKES = 2, OUTPUTS = 3, WIDEST = 70 };

static const size_t widths[] = {1, 8, 9, 31, 32, 33, 70};
enum { WIDTHS = sizeof widths / sizeof *widths };

/* A network of one hidden layer, and a sample of spike trains. */
struct trial {
    struct network_params params;
    float weight[2][WIDEST * AFFERENTS];
    uint32_t spikes[AFFERENTS];
    float times[AFFERENTS * MAX_SPIKES];
    size_t first[2];

    /* For the reference. */
    struct dense_kernel kernel;
    size_t afferent[AFFERENTS * MAX_SPIKES];
    double time[AFFERENTS * MAX_SPIKES];
};

static void draw_spikes(struct trial *trial, struct random *random, bool whole)
{
    size_t count = 0;
    for (size_t i = 0; i < AFFERENTS; i++) {
        trial->spikes[i] = random_bits(random) % (MAX_SPIKES + 1);
        for (uint32_t k = 0; k < trial->spikes[i]; k++, count++) {
            const float time = random_uniform(random) * (float)(trial->params.tempotron.T + 3);
            trial->times[count] = whole || random_bits(random) % 8 == 0 ? floorf(time) : time;
            trial->time[count] = (double)trial->times[count];
            trial->afferent[count] = i;
        }
    }
    trial->first[1] = count;
}

/* So that about half of the neurons fire. */
static void draw(struct trial *trial, enum tempotron_clock clock, size_t width,
                 struct random *random)
{
    const double tau = 4 + 20 * (double)random_uniform(random);
    const double tau_s = tau * (0.1 + 0.8 * (double)random_uniform(random));
    const bool is_slower = random_bits(random) % 8 == 0; /* the synapse may be */
    *trial = (struct trial){
        .kernel = {is_slower ? tau_s : tau, is_slower ? tau : tau_s, 1.25},
        .params = {.hidden_count = 1, .hidden = {width}, .read_out.v_max = {1, 1}},
    };
    trial->params.tempotron = (struct tempotron_params){clock,
                                                        AFFERENTS,
                                                        OUTPUTS,
                                                        8 + random_bits(random) % 25,
                                                        trial->kernel.tau,
                                                        trial->kernel.tau_s,
                                                        1.25};
    for (size_t i = 0; i < width * AFFERENTS; i++)
        trial->weight[0][i] = 2.4f * random_uniform(random) - 1;
    for (size_t i = 0; i < width * OUTPUTS; i++)
        trial->weight[1][i] = 2 * random_uniform(random) - 1;
    draw_spikes(trial, random, random_bits(random) % 2 == 0);
}

/* --- what the core makes of it --- */

static void run(const struct trial *trial, struct network **ret_network, struct arena *arena,
                struct activity *activity, float *v)
{
    const float *const weight[] = {trial->weight[0], trial->weight[1]};
    struct membranes membranes;
    const struct samples set = view_trains(1, AFFERENTS, trial->spikes, trial->times, trial->first);
    ck_assert_int_eq(network_create(&trial->params, weight, ret_network), CORE_OK);
    activity_init(activity, *ret_network, samples_capacity(&set, NULL), arena);
    membranes_init(&membranes, network_widest_block(*ret_network), arena);
    for (int again = 0; again < 2; again++) { /* scratch memory is as good the second time */
        samples_pattern(&set, NULL, 0, activity_input(activity));
        activity_forward(*ret_network, &membranes, activity);
        v_max_reading_voltages(*ret_network, &membranes, activity, v);
    }
}

/* --- against the reference --- */

struct counts {
    size_t fired, silent, undecided;
};

/* A voltage that comes within the rounding of the threshold may be taken to reach it or not. */
static void compare_neuron(const struct trial *trial, const struct layer_activity *hidden, size_t j,
                           struct counts *counts)
{
    const double rounding = trial->params.tempotron.clock == CLOCK_GRID ? 3e-6 : 1e-9;
    const double end = (double)trial->params.tempotron.T;
    const bool on_grid = trial->params.tempotron.clock == CLOCK_GRID;
    double weight[AFFERENTS * MAX_SPIKES], t_max, slope = 0;
    for (size_t s = 0; s < trial->first[1]; s++)
        weight[s] = (double)trial->weight[0][j * AFFERENTS + trial->afferent[s]];
    const struct dense_spikes spikes = {trial->first[1], weight, trial->time};
    const double v_max =
        on_grid ? dense_grid_max(&trial->kernel, &spikes, trial->params.tempotron.T, &t_max)
                : dense_intervals_max(&trial->kernel, &spikes, end, &t_max);
    const double time =
        on_grid ? dense_grid_crossing(&trial->kernel, &spikes, trial->params.tempotron.T, &slope)
                : dense_intervals_crossing(&trial->kernel, &spikes, end, &slope);
    ck_assert_double_eq_tol((double)hidden->v_max[j], v_max, 1e-4);
    if (fabs(v_max - trial->kernel.v_threshold) < rounding) {
        counts->undecided++;
        return;
    }
    if (time < 0) {
        ck_assert_float_eq(hidden->spike[j], -1);
        counts->silent++;
        return;
    }
    /* The voltage's rounding over its slope, and the spike's own. */
    ck_assert_double_eq_tol((double)hidden->spike[j], time, rounding / slope + 4e-6);
    if (slope > 1e-2)
        ck_assert_double_eq_tol((double)hidden->slope[j], slope, 1e-5 + 1e-4 * slope);
    counts->fired++;
}

/* The last layer's voltages, from the spikes that the core itself says it passed on. */
static void compare_output(const struct trial *trial, const struct activity *activity,
                           const float *v, size_t output)
{
    const size_t width = trial->params.hidden[0], T = trial->params.tempotron.T;
    double weight[WIDEST], times[WIDEST], time;
    for (size_t j = 0; j < width; j++) {
        weight[j] = (double)trial->weight[1][output * width + j];
        times[j] = (double)activity->layers[0].spike[j];
    }
    const struct dense_spikes spikes = {width, weight, times};
    const double v_max = trial->params.tempotron.clock == CLOCK_GRID
                             ? dense_grid_max(&trial->kernel, &spikes, T, &time)
                             : dense_intervals_max(&trial->kernel, &spikes, (double)T, &time);
    ck_assert_double_eq_tol((double)activity->layers[1].v_max[output], v_max, 2e-5);
    ck_assert_float_eq(activity->score[output], activity->layers[1].v_max[output]);
    for (size_t t = 0; t < T; t++)
        ck_assert_double_eq_tol((double)v[output * T + t],
                                dense_voltage(&trial->kernel, &spikes, (double)t), 2e-5);
}

static void compare(const struct trial *trial, struct counts *counts)
{
    struct arena arena = {0};
    struct network *network;
    struct activity activity;
    float v[OUTPUTS * 40];
    bool fired = false;
    run(trial, &network, &arena, &activity, v);
    for (size_t j = 0; j < trial->params.hidden[0]; j++) {
        compare_neuron(trial, &activity.layers[0], j, counts);
        fired |= activity.layers[0].spike[j] >= 0;
    }
    for (size_t j = 0; j < OUTPUTS; j++)
        compare_output(trial, &activity, v, j);
    ck_assert_int_eq(activity_decides(&activity), fired);
    arena_finish(&arena);
    network_destroy(network);
}

START_TEST(hidden_neurons_fire_at_their_first_crossing)
{
    struct random random;
    struct trial trial;
    struct counts counts = {0};
    const bool on_grid = _i % 2 == 0;
    const size_t width = widths[_i / 2];
    const size_t trials = (on_grid ? 40000 : 10000) / (width + 20);
    random_init(&random, (uint32_t)_i);
    for (size_t i = 0; i < trials; i++) {
        draw(&trial, on_grid ? CLOCK_GRID : CLOCK_CONTINUOUS, width, &random);
        compare(&trial, &counts);
    }
    ck_assert_uint_gt(counts.fired, trials * width / 5);
    ck_assert_uint_gt(counts.silent, trials * width / 5);
    ck_assert_uint_le(counts.undecided, 2);
}
END_TEST

/* --- by hand --- */

struct by_hand {
    size_t count;
    float weight[3], time[3];
    enum tempotron_clock clock;
};

/* When a neuron with these spikes fires. */
static double fires_at(const struct by_hand *spikes, size_t T)
{
    struct arena arena = {0};
    const float out = 1, *const weight[] = {spikes->weight, &out};
    const struct network_params params = {
        .tempotron = {spikes->clock, spikes->count, 1, T, 10, 2.5, 1},
        .hidden_count = 1,
        .hidden = {1},
        .read_out.v_max = {1, 1},
    };
    struct network *network;
    struct activity activity;
    struct membranes membranes;
    ck_assert_int_eq(network_create(&params, weight, &network), CORE_OK);
    activity_init(&activity, network, spikes->count, &arena);
    membranes_init(&membranes, network_widest_block(network), &arena);
    pattern_clear(activity_input(&activity));
    for (size_t i = 0; i < spikes->count; i++)
        pattern_add(activity_input(&activity), i, spikes->time[i]);
    activity_forward(network, &membranes, &activity);
    v_max_reading_voltages(network, &membranes, &activity, NULL);
    const double time = (double)activity.layers[0].spike[0];
    arena_finish(&arena);
    network_destroy(network);
    return time;
}

/* K(t) = 2.1165 (exp(-t/10) - exp(-t/2.5)), which is 0.496 at t = 1 and 0.5 a little later. */
START_TEST(a_single_spike_of_weight_two_fires_when_it_reaches_the_threshold)
{
    struct by_hand spikes = {1, {2}, {5}, CLOCK_CONTINUOUS};
    const struct dense_kernel kernel = {10, 2.5, 1};
    const struct dense_spikes dense = {1, (const double[]){2}, (const double[]){0}};
    const double time = fires_at(&spikes, 50) - 5;
    ck_assert_double_eq_tol(dense_voltage(&kernel, &dense, time), 1, 2e-6);
    ck_assert_double_eq_tol(time, 1.01, 5e-3);
    spikes.clock = CLOCK_GRID;
    const double one = dense_voltage(&kernel, &dense, 1), two = dense_voltage(&kernel, &dense, 2);
    ck_assert_double_eq_tol(fires_at(&spikes, 50), 6 + (1 - one) / (two - one), 2e-6);
}
END_TEST

/* A peak below the threshold, then a stronger spike: the later crossing counts, though the neuron
 * rose before; and what comes after it changes nothing. */
START_TEST(only_a_crossing_counts_and_only_the_first)
{
    for (int clock = 0; clock < 2; clock++) {
        const struct by_hand low = {1, {0.95f}, {3}, clock == 0 ? CLOCK_GRID : CLOCK_CONTINUOUS};
        struct by_hand two = low, three;
        ck_assert_double_eq(fires_at(&low, 100), -1);
        two.count = 2;
        two.weight[1] = 2;
        two.time[1] = 40;
        const double time = fires_at(&two, 100);
        ck_assert_double_gt(time, 40);
        ck_assert_double_lt(time, 42);
        three = two;
        three.count = 3;
        three.weight[2] = 50;
        three.time[2] = 60;
        ck_assert_double_eq(fires_at(&three, 100), time);
    }
}
END_TEST

/* A rise that a negative spike stops just before the threshold, or just after it. */
START_TEST(a_kink_may_forbid_a_crossing)
{
    struct by_hand kink = {2, {1.3f, -1}, {10, 11.5f}, CLOCK_CONTINUOUS};
    const struct by_hand free = {1, {1.3f}, {10}, CLOCK_CONTINUOUS};
    const double crossing = fires_at(&free, 50);
    ck_assert_double_gt(crossing, 11.5);
    ck_assert_double_eq(fires_at(&kink, 50), -1);
    kink.time[1] = (float)crossing - 1e-3f;
    ck_assert_double_eq(fires_at(&kink, 50), -1);
    kink.time[1] = (float)crossing + 1e-3f;
    ck_assert_double_eq(fires_at(&kink, 50), crossing);
}
END_TEST

/* The window ends while the voltage rises. */
START_TEST(a_crossing_after_the_end_does_not_count)
{
    struct by_hand spikes = {1, {1.5f}, {46.3f}, CLOCK_CONTINUOUS};
    const double crossing = fires_at(&spikes, 100);
    ck_assert_double_gt(crossing, 47.5);
    ck_assert_double_lt(crossing, 48);
    ck_assert_double_eq(fires_at(&spikes, 48), crossing);
    ck_assert_double_eq(fires_at(&spikes, 47), -1);
    spikes.clock = CLOCK_GRID; /* of which 48 is the last step where T is 49 */
    ck_assert_double_gt(fires_at(&spikes, 49), 47);
    ck_assert_double_eq(fires_at(&spikes, 48), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hidden_spikes");
    TCase *tests = tcase_create("hidden_spikes");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, hidden_neurons_fire_at_their_first_crossing, 0, 2 * WIDTHS);
    tcase_add_test(tests, a_single_spike_of_weight_two_fires_when_it_reaches_the_threshold);
    tcase_add_test(tests, only_a_crossing_counts_and_only_the_first);
    tcase_add_test(tests, a_kink_may_forbid_a_crossing);
    tcase_add_test(tests, a_crossing_after_the_end_does_not_count);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
