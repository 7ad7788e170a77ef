/* The encoders of the core by their formulas, and what they have in common: ranges, and what lies
 * outside of them. SpikingJelly's own spike times are in test_gaussian_tuning.c. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "core/byte_table.h"
#include "core/encoder.h"
#include "core/random.h"
#include "tests/support/suite.h"

enum { FEATURES = 150, MAX_SPIKE_TIME = 16, SAMPLES = 20 };

static const char *const scales[] = {[LATENCY_LINEAR] = "linear", [LATENCY_LOG] = "log"};

static struct encoder latency_of(size_t n, enum latency_scale scale, const float *x_min,
                                 const float *x_max, uint32_t max_spike_time)
{
    struct encoder encoder = {.type = ENCODER_LATENCY};
    ck_assert_int_eq(latency_init(&encoder.latency, n, scale, x_min, x_max, max_spike_time),
                     CORE_OK);
    return encoder;
}

static float time_of(const struct encoder *encoder, float x)
{
    float time;
    encoder_encode_value(encoder, 0, x, &time);
    return time;
}

/* As SpikingJelly's LatencyEncoder has it, in double precision. */
static double exact_time(enum latency_scale scale, double u, double max_spike_time)
{
    const double alpha = exp(max_spike_time - 1) - 1;
    return scale == LATENCY_LINEAR ? (1 - u) * (max_spike_time - 1)
                                   : max_spike_time - 1 - log(alpha * u + 1);
}

/* Where the two differ, the exact time lies where float32 can't tell which of two to round to. */
START_TEST(latencies_follow_the_formula_at_every_value)
{
    const enum latency_scale scale = (enum latency_scale)_i;
    const float x_min = -3, x_max = 11;
    size_t differ = 0, values = 0;
    for (uint32_t most = 1; most <= 600; most = most * 3 + 1) {
        struct encoder encoder = latency_of(1, scale, &x_min, &x_max, most);
        for (float x = -2.9999f; x <= x_max; x += 0.0137f, values++) {
            const double exact = exact_time(scale, ((double)x + 3) / 14, most);
            const double time = (double)time_of(&encoder, x);
            ck_assert_msg(time == rint(exact) || fabs(fabs(exact - time) - 0.5) < 1e-4,
                          "%s, %u: %.9g at %.9g for %.9g", scales[scale], most, time, (double)x,
                          exact);
            differ += time != rint(exact);
        }
        encoder_finish(&encoder);
    }
    ck_assert_uint_gt(values, 5000);
    ck_assert_uint_lt(differ, 5);
}
END_TEST

/* Every value of a pixel, computed by hand: half to even. */
START_TEST(latencies_of_pixels_are_those_of_the_formula)
{
    static const struct {
        enum latency_scale scale;
        float x, time;
    } pixels[] = {
        {LATENCY_LINEAR, 0, -1},  {LATENCY_LINEAR, 1, 15},  {LATENCY_LINEAR, 8, 15},
        {LATENCY_LINEAR, 9, 14},  {LATENCY_LINEAR, 127, 8}, {LATENCY_LINEAR, 128, 7},
        {LATENCY_LINEAR, 246, 1}, {LATENCY_LINEAR, 247, 0}, {LATENCY_LINEAR, 255, 0},
        {LATENCY_LOG, 0, -1},     {LATENCY_LOG, 1, 6},      {LATENCY_LOG, 2, 5},
        {LATENCY_LOG, 94, 1},     {LATENCY_LOG, 155, 0},    {LATENCY_LOG, 255, 0},
    };
    const float x_min = 0, x_max = 255;
    for (size_t i = 0; i < sizeof pixels / sizeof *pixels; i++) {
        struct encoder encoder = latency_of(1, pixels[i].scale, &x_min, &x_max, MAX_SPIKE_TIME);
        ck_assert_float_eq(time_of(&encoder, pixels[i].x), pixels[i].time);
        encoder_finish(&encoder);
    }
}
END_TEST

START_TEST(latencies_round_half_to_even)
{
    const float x_min = 0, x_max = 8;
    struct encoder encoder = latency_of(1, LATENCY_LINEAR, &x_min, &x_max, 5);
    ck_assert_float_eq(time_of(&encoder, 1), 4); /* 3.5 */
    ck_assert_float_eq(time_of(&encoder, 3), 2); /* 2.5 */
    ck_assert_float_eq(time_of(&encoder, 5), 2); /* 1.5 */
    ck_assert_float_eq(time_of(&encoder, 7), 0); /* 0.5 */
    encoder_finish(&encoder);
}
END_TEST

/* Where alpha would be beyond a double, and u beyond a float. */
START_TEST(latencies_of_a_long_time_are_finite)
{
    const float x_min = 0, x_max = 1e15f;
    struct encoder linear = latency_of(1, LATENCY_LINEAR, &x_min, &x_max, 100000);
    struct encoder log_scale = latency_of(1, LATENCY_LOG, &x_min, &x_max, 100000);
    ck_assert_float_eq(time_of(&linear, 1e-40f), 99999);
    ck_assert_float_eq(time_of(&linear, 1e15f), 0);
    ck_assert_float_eq(time_of(&log_scale, 1e-30f), (float)rint(45 * log(10)));
    ck_assert_float_eq(time_of(&log_scale, 1e15f), 0);
    encoder_finish(&log_scale);
    encoder_finish(&linear);
}
END_TEST

START_TEST(a_latency_is_silent_at_rest)
{
    const float x_min = -1, x_max = 1;
    struct encoder encoder = latency_of(1, (enum latency_scale)_i, &x_min, &x_max, MAX_SPIKE_TIME);
    for (int mode = OUT_OF_RANGE_SILENT; mode <= OUT_OF_RANGE_REJECT; mode++) {
        encoder_set_out_of_range(&encoder, (enum out_of_range)mode);
        ck_assert_float_eq(time_of(&encoder, -1), -1);
        ck_assert_float_eq(time_of(&encoder, -1e30f), -1);
        ck_assert_float_eq(time_of(&encoder, nextafterf(-1, 0)), MAX_SPIKE_TIME - 1);
        ck_assert_float_eq(time_of(&encoder, 1), 0);
    }
    encoder_finish(&encoder);
}
END_TEST

START_TEST(a_latency_above_its_range_is_silent_or_clamped)
{
    const float x_min = -1, x_max = 1;
    struct encoder encoder = latency_of(1, (enum latency_scale)_i, &x_min, &x_max, MAX_SPIKE_TIME);
    ck_assert_float_eq(time_of(&encoder, nextafterf(1, 2)), -1);
    encoder_set_out_of_range(&encoder, OUT_OF_RANGE_CLAMP);
    ck_assert_float_eq(time_of(&encoder, nextafterf(1, 2)), 0);
    ck_assert_float_eq(time_of(&encoder, 3e38f), 0);
    encoder_finish(&encoder);
}
END_TEST

START_TEST(a_gaussian_clamps_only_where_it_is_told_to)
{
    enum { M = 6 };
    const float x_min = 2, x_max = 4;
    const struct {
        float x, nearest;
    } values[] = {{1.9f, 2}, {-1e30f, 2}, {4.2f, 4}, {1e30f, 4}, {2.5f, 2.5f}};
    float plain[M], clamped[M], nearest[M];
    struct encoder encoder = {.type = ENCODER_GAUSSIAN_TUNING};
    ck_assert_int_eq(gaussian_tuning_init(&encoder.gaussian_tuning, 1, M, &x_min, &x_max, 50),
                     CORE_OK);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        encoder_set_out_of_range(&encoder, OUT_OF_RANGE_SILENT);
        encoder_encode_value(&encoder, 0, values[i].x, plain);
        encoder_encode_value(&encoder, 0, values[i].nearest, nearest);
        encoder_set_out_of_range(&encoder, OUT_OF_RANGE_CLAMP);
        encoder_encode_value(&encoder, 0, values[i].x, clamped);
        ck_assert_mem_eq(clamped, nearest, sizeof clamped);
        if (values[i].x != values[i].nearest)
            ck_assert(memcmp(plain, nearest, sizeof plain) != 0);
    }
    encoder_finish(&encoder);
}
END_TEST

/* --- whole samples --- */

/* Random values, some outside of their ranges, and bytes; features have one of three ranges. */
static struct encoder draw(enum encoder_type type, enum latency_scale scale, float *x,
                           uint8_t *bytes)
{
    struct random random;
    struct encoder encoder = {.type = type};
    float x_min[FEATURES], x_max[FEATURES];
    random_init(&random, 9);
    for (size_t i = 0; i < FEATURES; i++) {
        x_min[i] = (float)(i % 3) * 10 - 10;
        x_max[i] = 200;
    }
    for (size_t i = 0; i < SAMPLES * FEATURES; i++) {
        x[i] = random_uniform(&random) * 300 - 50;
        bytes[i] = (uint8_t)(random_bits(&random) >> 8);
    }
    if (type == ENCODER_LATENCY)
        return latency_of(FEATURES, scale, x_min, x_max, MAX_SPIKE_TIME);
    ck_assert_int_eq(
        gaussian_tuning_init(&encoder.gaussian_tuning, FEATURES, 5, x_min, x_max, MAX_SPIKE_TIME),
        CORE_OK);
    return encoder;
}

/* A pattern holds the spikes of a sample's values, one by one, up to its last time. */
static void expect_pattern(const struct encoder *encoder, const float *x,
                           const struct pattern *pattern)
{
    const size_t m = encoder_neurons(encoder);
    float times[8];
    size_t at = 0;
    bool fired = false;
    for (size_t i = 0; i < FEATURES; i++) {
        encoder_encode_value(encoder, i, x[i], times);
        for (size_t j = 0; j < m; j++) {
            fired |= times[j] >= 0;
            if (times[j] < 0 || times[j] > pattern->last)
                continue;
            ck_assert_uint_lt(at, pattern->count);
            ck_assert_uint_eq(pattern->afferent[at], i * m + j);
            ck_assert_float_eq(pattern->time[at++], times[j]);
        }
    }
    ck_assert_uint_eq(pattern->count, at);
    ck_assert(pattern->fired == fired);
}

static const struct {
    enum encoder_type type;
    enum latency_scale scale;
} codes[] = {{ENCODER_GAUSSIAN_TUNING, LATENCY_LINEAR},
             {ENCODER_LATENCY, LATENCY_LINEAR},
             {ENCODER_LATENCY, LATENCY_LOG}};

/* The loop runs over codes and what becomes of values outside. */
START_TEST(samples_and_bytes_have_the_spikes_of_their_values)
{
    struct arena arena = {0};
    enum { LAST = 12 };
    static float x[SAMPLES * FEATURES], as_values[FEATURES];
    static uint8_t bytes[SAMPLES * FEATURES];
    struct encoder encoder = draw(codes[_i / 3].type, codes[_i / 3].scale, x, bytes);
    struct pattern pattern;
    struct byte_table table;
    encoder_set_out_of_range(&encoder, (enum out_of_range)(_i % 3));
    ck_assert(byte_table_fits(&encoder));
    byte_table_init(&table, &encoder, LAST, &arena);
    pattern_init(&pattern, FEATURES * PATTERN_SLACK, LAST, &arena);
    for (size_t b = 0; b < SAMPLES; b++) {
        encoder_encode(&encoder, x + b * FEATURES, &pattern);
        expect_pattern(&encoder, x + b * FEATURES, &pattern);
        ck_assert_uint_gt(pattern.count, 0);
        for (size_t i = 0; i < FEATURES; i++)
            as_values[i] = bytes[b * FEATURES + i];
        byte_table_encode(&table, NULL, bytes + b * FEATURES, &pattern);
        expect_pattern(&encoder, as_values, &pattern);
    }
    arena_finish(&arena);
    encoder_finish(&encoder);
}
END_TEST

/* A pattern without a spike in time, but with one too late. */
START_TEST(a_late_latency_has_fired)
{
    struct arena arena = {0};
    const float x_min = 0, x_max = 1, x = 0.1f;
    struct encoder encoder = latency_of(1, LATENCY_LINEAR, &x_min, &x_max, MAX_SPIKE_TIME);
    struct pattern pattern;
    pattern_init(&pattern, encoder_spikes(&encoder), 12, &arena);
    encoder_encode(&encoder, &x, &pattern);
    ck_assert_uint_eq(pattern.count, 0);
    ck_assert(pattern.fired);
    encoder_encode(&encoder, &x_min, &pattern);
    ck_assert(!pattern.fired);
    arena_finish(&arena);
    encoder_finish(&encoder);
}
END_TEST

START_TEST(an_encoder_of_other_ranges_is_as_if_made_for_them)
{
    enum { M = 5 };
    static float x[SAMPLES * FEATURES];
    static uint8_t bytes[SAMPLES * FEATURES];
    float x_min[FEATURES], x_max[FEATURES], times[M], expected[M];
    struct encoder old = draw(codes[_i].type, codes[_i].scale, x, bytes), new, made;
    for (size_t i = 0; i < FEATURES; i++) {
        x_min[i] = (float)i;
        x_max[i] = (float)(2 * i + 3);
    }
    encoder_set_out_of_range(&old, OUT_OF_RANGE_CLAMP);
    ck_assert_int_eq(encoder_with_ranges(&old, x_min, x_max, &new), CORE_OK);
    made = (struct encoder){.type = old.type};
    if (old.type == ENCODER_LATENCY)
        made = latency_of(FEATURES, codes[_i].scale, x_min, x_max, MAX_SPIKE_TIME);
    else
        ck_assert_int_eq(
            gaussian_tuning_init(&made.gaussian_tuning, FEATURES, M, x_min, x_max, MAX_SPIKE_TIME),
            CORE_OK);
    encoder_set_out_of_range(&made, OUT_OF_RANGE_CLAMP);
    ck_assert_int_eq(new.out_of_range, OUT_OF_RANGE_CLAMP);
    for (size_t i = 0; i < FEATURES; i++) {
        encoder_encode_value(&new, i, x[i], times);
        encoder_encode_value(&made, i, x[i], expected);
        ck_assert_mem_eq(times, expected, encoder_neurons(&made) * sizeof *times);
    }
    ck_assert_uint_eq(encoder_afferents(&new), encoder_afferents(&old));
    encoder_finish(&made);
    encoder_finish(&new);
    encoder_finish(&old);
}
END_TEST

START_TEST(values_outside_are_found)
{
    const float x_min[] = {0, 10}, x_max[] = {5, 20};
    struct encoder encoder = latency_of(2, LATENCY_LINEAR, x_min, x_max, MAX_SPIKE_TIME);
    ck_assert(encoder_is_inside(&encoder, 0, 0));
    ck_assert(encoder_is_inside(&encoder, 0, 5));
    ck_assert(encoder_is_inside(&encoder, 1, 10));
    ck_assert(encoder_is_inside(&encoder, 1, 20));
    ck_assert(!encoder_is_inside(&encoder, 0, nextafterf(0, -1)));
    ck_assert(!encoder_is_inside(&encoder, 0, 6));
    ck_assert(!encoder_is_inside(&encoder, 1, 9));
    ck_assert(!encoder_is_inside(&encoder, 1, 20.5f));
    ck_assert(!encoder_is_inside(&encoder, 1, NAN));
    encoder_finish(&encoder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("encoders");
    TCase *tests = tcase_create("encoders");
    tcase_add_loop_test(tests, latencies_follow_the_formula_at_every_value, 0, 2);
    tcase_add_test(tests, latencies_of_pixels_are_those_of_the_formula);
    tcase_add_test(tests, latencies_round_half_to_even);
    tcase_add_test(tests, latencies_of_a_long_time_are_finite);
    tcase_add_loop_test(tests, a_latency_is_silent_at_rest, 0, 2);
    tcase_add_loop_test(tests, a_latency_above_its_range_is_silent_or_clamped, 0, 2);
    tcase_add_test(tests, a_gaussian_clamps_only_where_it_is_told_to);
    tcase_add_loop_test(tests, samples_and_bytes_have_the_spikes_of_their_values, 0, 9);
    tcase_add_test(tests, a_late_latency_has_fired);
    tcase_add_loop_test(tests, an_encoder_of_other_ranges_is_as_if_made_for_them, 0, 3);
    tcase_add_test(tests, values_outside_are_found);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
