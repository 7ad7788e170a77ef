/* Which spikes are left out while a network trains: how many, and that nothing but the seed, the
 * epoch and the sample decides it. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/dropout.h"
#include "core/pattern.h"
#include "tests/support/suite.h"

enum { SPIKES = 1000 };

/* Finds which spikes of a pattern of SPIKES are kept. Returns how many. */
static size_t keep(double rate, struct dropout_stream *stream, bool kept[SPIKES])
{
    struct arena arena = {0};
    struct pattern pattern;
    pattern_init(&pattern, SPIKES, 100, &arena);
    pattern_clear(&pattern);
    for (size_t i = 0; i < SPIKES; i++)
        pattern_add(&pattern, i, (float)(i % 97));
    dropout_apply(&pattern, rate, stream);
    memset(kept, 0, SPIKES * sizeof *kept);
    for (size_t s = 0; s < pattern.count; s++) {
        const uint32_t afferent = pattern.afferent[s];
        ck_assert(s == 0 || pattern.afferent[s - 1] < afferent);
        ck_assert_float_eq(pattern.time[s], (float)(afferent % 97));
        kept[afferent] = true;
    }
    ck_assert(pattern.fired); /* what was left out did fire */
    const size_t count = pattern.count;
    arena_finish(&arena);
    return count;
}

/* Within five deviations of the binomial distribution. */
START_TEST(the_rate_is_left_out)
{
    static const double rates[] = {0.05, 0.2, 0.5, 0.9};
    bool kept[SPIKES];
    for (size_t i = 0; i < 4; i++) {
        size_t sum = 0;
        for (size_t sample = 0; sample < 100; sample++) {
            struct dropout_stream stream = dropout_stream_of(1, 1, sample);
            sum += keep(rates[i], &stream, kept);
        }
        const double count = 100.0 * SPIKES;
        ck_assert_double_eq_tol((double)sum, count * (1 - rates[i]),
                                5 * sqrt(count * rates[i] * (1 - rates[i])));
    }
}
END_TEST

/* And none is drawn, so that a rate of 0 changes nothing of what follows. */
START_TEST(a_rate_of_nothing_leaves_nothing_out)
{
    bool kept[SPIKES];
    struct dropout_stream stream = dropout_stream_of(1, 2, 3);
    const struct dropout_stream before = stream;
    ck_assert_uint_eq(keep(0, &stream, kept), SPIKES);
    ck_assert(stream.state == before.state);
}
END_TEST

static size_t differing(const bool a[SPIKES], const bool b[SPIKES])
{
    size_t count = 0;
    for (size_t i = 0; i < SPIKES; i++)
        count += a[i] != b[i];
    return count;
}

/* Half of the spikes differ where two choices have nothing to do with each other. */
START_TEST(seed_epoch_and_sample_choose)
{
    static const struct {
        uint32_t seed;
        size_t epoch, sample;
    } others[] = {{8, 1, 1}, {7, 2, 1}, {7, 1, 2}, {7, 2, 0}, {6, 2, 1}, {0, 0, 0}};
    bool first[SPIKES], again[SPIKES], other[SPIKES];
    struct dropout_stream stream = dropout_stream_of(7, 1, 1), same = dropout_stream_of(7, 1, 1);
    keep(0.5, &stream, first);
    keep(0.5, &same, again);
    ck_assert_uint_eq(differing(first, again), 0);
    keep(0.5, &same, again); /* the next layer's, of the same sample */
    ck_assert_uint_gt(differing(first, again), SPIKES * 4 / 10);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        stream = dropout_stream_of(others[i].seed, others[i].epoch, others[i].sample);
        keep(0.5, &stream, other);
        ck_assert_uint_gt(differing(first, other), SPIKES * 4 / 10);
        ck_assert_uint_lt(differing(first, other), SPIKES * 6 / 10);
    }
}
END_TEST

/* No bit is favoured. */
START_TEST(draws_are_even)
{
    enum { DRAWS = 100000 };
    struct dropout_stream stream = dropout_stream_of(0, 0, 0);
    size_t ones[32] = {0};
    for (size_t i = 0; i < DRAWS; i++) {
        const uint32_t bits = dropout_draw(&stream);
        for (size_t b = 0; b < 32; b++)
            ones[b] += bits >> b & 1;
    }
    for (size_t b = 0; b < 32; b++)
        ck_assert_double_eq_tol((double)ones[b], DRAWS / 2.0, 5 * sqrt(DRAWS / 4.0));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dropout");
    TCase *tests = tcase_create("dropout");
    tcase_add_test(tests, the_rate_is_left_out);
    tcase_add_test(tests, a_rate_of_nothing_leaves_nothing_out);
    tcase_add_test(tests, seed_epoch_and_sample_choose);
    tcase_add_test(tests, draws_are_even);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
