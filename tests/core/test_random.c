/* Random numbers: the generator, drawn weights, and shuffled orders. */
#include <check.h>
#include <stdbool.h>

#include "core/random.h"
#include "core/samples.h"
#include "core/tempotron.h"
#include "tests/support/suite.h"

START_TEST(random_is_the_mersenne_twister)
{
    struct random random;
    random_init(&random, 5489);
    uint32_t bits = 0;
    for (int i = 0; i < 10000; i++)
        bits = random_bits(&random);
    ck_assert_uint_eq(bits, 4123659995u); /* as the C++ standard demands of std::mt19937 */
}
END_TEST

/* torch 1.13: torch.manual_seed(seed); torch.nn.Linear(in, out, bias=False).weight */
START_TEST(drawn_weights_are_those_of_torch)
{
    static const struct {
        uint32_t seed;
        size_t in, out;
        float first[4];
    } torch[] = {
        {0, 4, 3, {-0x1.eaa8p-9f, 0x1.12a8bcp-2f, -0x1.a5662cp-2f, -0x1.78cdp-2f}},
        {7, 64, 3, {0x1.1e15ep-7f, -0x1.346cfp-4f, 0x1.4610c8p-5f, 0x1.414fbp-5f}},
        {4294967295, 13, 2, {0x1.187c06p-2f, 0x1.440602p-5f, 0x1.3e1fb2p-5f, -0x1.ffc684p-3f}},
    };
    float weight[64 * 3];
    for (size_t i = 0; i < sizeof torch / sizeof *torch; i++) {
        tempotron_draw_weight(torch[i].seed, torch[i].in, torch[i].out, weight);
        for (size_t k = 0; k < 4; k++)
            ck_assert_float_eq(weight[k], torch[i].first[k]);
    }
}
END_TEST

START_TEST(shuffle_is_a_permutation)
{
    struct random random;
    random_init(&random, 1);
    uint32_t items[100];
    bool seen[100] = {false};
    size_t moved = 0;
    for (uint32_t i = 0; i < 100; i++)
        items[i] = i;
    ck_assert(random_shuffle(&random, items, 100, NULL));
    for (uint32_t i = 0; i < 100; i++) {
        ck_assert(!seen[items[i]]);
        seen[items[i]] = true;
        moved += items[i] != i;
    }
    ck_assert_uint_gt(moved, 80);
}
END_TEST

static bool always(void *context)
{
    (void)context;
    return true;
}

START_TEST(a_stop_ends_a_long_shuffle)
{
    static uint32_t items[200000];
    struct random random;
    const struct stop_check stop_check = {NULL, always};
    random_init(&random, 1);
    ck_assert(!random_shuffle(&random, items, 200000, &stop_check));
    ck_assert_ptr_null(samples_shuffled(200000, 1, &stop_check));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random");
    TCase *tests = tcase_create("core");
    tcase_add_test(tests, random_is_the_mersenne_twister);
    tcase_add_test(tests, drawn_weights_are_those_of_torch);
    tcase_add_test(tests, shuffle_is_a_permutation);
    tcase_add_test(tests, a_stop_ends_a_long_shuffle);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
