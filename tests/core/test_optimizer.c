/* The moments of weights that have had no gradient for long: they become exactly 0, are never a
 * denormal number for long, which would make the steps slow, and no weight shows it. */
#include <check.h>
#include <math.h>
#include <stdbool.h>

#include "core/arena.h"
#include "core/optimizer.h"
#include "core/random.h"
#include "tests/support/suite.h"

enum { ROWS_OF_WEIGHTS = 6, STRIDE = 16, WEIGHTS = ROWS_OF_WEIGHTS * STRIDE };

/* Adam's second moment of a gradient of 1e-17 is a normal number, and soon no more. */
enum { BUSY = 20, IDLE = 4000 };
static const float magnitudes[ROWS_OF_WEIGHTS] = {1, 1e-3f, 1e-8f, 1e-16f, 1e-17f, 0};

static const double learning_rate = 0.01, momentum = 0.9;

/* The steps as the formulas say, with all their numbers. */
struct plain {
    enum optimizer_type type;
    float first[WEIGHTS], second[WEIGHTS], weight[WEIGHTS];
    double power1, power2;
};

static void plain_step(struct plain *plain, const float *gradient)
{
    plain->power1 *= 0.9;
    plain->power2 *= 0.999;
    const float rate = (float)(learning_rate / (1 - plain->power1));
    const float correction = (float)sqrt(1 - plain->power2);
    for (size_t i = 0; i < WEIGHTS; i++) {
        const float g = gradient[i];
        float *m = &plain->first[i], *s = &plain->second[i];
        if (plain->type == OPTIMIZER_SGD) {
            *m = (float)momentum * *m + g;
            plain->weight[i] -= (float)learning_rate * *m;
        } else {
            *m = 0.9f * *m + (float)(1 - 0.9) * g;
            *s = 0.999f * *s + (float)(1 - 0.999) * g * g;
            plain->weight[i] -= rate * *m / (sqrtf(*s) / correction + 1e-8f);
        }
    }
}

/* An optimizer beside the plain formulas, with the same weights. */
struct pair {
    struct arena arena;
    struct optimizer optimizer;
    struct plain plain;
    struct random random;
    _Alignas(64) float weight[WEIGHTS];
};

static void pair_init(struct pair *pair, enum optimizer_type type)
{
    *pair = (struct pair){.plain = {.type = type, .power1 = 1, .power2 = 1}};
    optimizer_init(&pair->optimizer, type, momentum, ROWS_OF_WEIGHTS, STRIDE, &pair->arena);
    ck_assert_int_eq(arena_status(&pair->arena), CORE_OK);
    random_init(&pair->random, 5);
    for (size_t i = 0; i < WEIGHTS; i++)
        pair->weight[i] = pair->plain.weight[i] = random_uniform(&pair->random) - 0.5f;
}

static void pair_step(struct pair *pair, bool is_idle)
{
    _Alignas(64) float gradient[WEIGHTS] = {0};
    for (size_t i = 0; i < WEIGHTS && !is_idle; i++)
        gradient[i] = magnitudes[i / STRIDE] * (2 * random_uniform(&pair->random) - 1);
    plain_step(&pair->plain, gradient);
    optimizer_begin(&pair->optimizer, learning_rate, 0);
    optimizer_step(&pair->optimizer, 0, ROWS_OF_WEIGHTS, NULL, gradient, pair->weight);
}

static size_t count_denormal(const float *numbers)
{
    size_t count = 0;
    for (size_t i = 0; i < WEIGHTS; i++)
        count += fpclassify(numbers[i]) == FP_SUBNORMAL;
    return count;
}

START_TEST(moments_without_a_gradient_become_zero)
{
    struct pair pair;
    const enum optimizer_type type = (enum optimizer_type)_i;
    pair_init(&pair, type);
    for (int step = 1; step <= BUSY + IDLE; step++) {
        pair_step(&pair, step > BUSY);
        if (step % OPTIMIZER_SETTLES != 0)
            continue;
        ck_assert_uint_eq(count_denormal(pair.optimizer.first), 0);
        ck_assert_uint_eq(count_denormal(pair.optimizer.second), 0);
    }
    for (size_t i = 0; i < WEIGHTS; i++)
        ck_assert(pair.optimizer.first[i] == 0);
    ck_assert_uint_gt(count_denormal(pair.plain.first), WEIGHTS / 2);
    ck_assert(type == OPTIMIZER_SGD || count_denormal(pair.plain.second) > 0);
    arena_finish(&pair.arena);
}
END_TEST

/* Before, while and after the moments are 0. */
START_TEST(every_weight_has_the_bits_of_the_plain_formula)
{
    struct pair pair;
    pair_init(&pair, (enum optimizer_type)_i);
    for (int step = 0; step < 2 * (BUSY + IDLE); step++) {
        pair_step(&pair, step % (BUSY + IDLE) >= BUSY);
        ck_assert_mem_eq(pair.weight, pair.plain.weight, sizeof pair.weight);
    }
    arena_finish(&pair.arena);
}
END_TEST

START_TEST(moments_that_are_not_finite_stay_so)
{
    struct pair pair;
    pair_init(&pair, (enum optimizer_type)_i);
    pair.optimizer.first[0] = NAN;
    pair.optimizer.first[1] = -INFINITY;
    for (int step = 0; step < OPTIMIZER_SETTLES; step++)
        pair_step(&pair, true);
    ck_assert(isnan(pair.optimizer.first[0]));
    ck_assert(pair.optimizer.first[1] == -INFINITY);
    arena_finish(&pair.arena);
}
END_TEST

int main(void)
{
    TCase *tests = tcase_create("optimizer");
    tcase_add_loop_test(tests, moments_without_a_gradient_become_zero, OPTIMIZER_SGD,
                        OPTIMIZER_ADAM + 1);
    tcase_add_loop_test(tests, every_weight_has_the_bits_of_the_plain_formula, OPTIMIZER_SGD,
                        OPTIMIZER_ADAM + 1);
    tcase_add_loop_test(tests, moments_that_are_not_finite_stay_so, OPTIMIZER_SGD,
                        OPTIMIZER_ADAM + 1);
    Suite *suite = suite_create("optimizer");
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
