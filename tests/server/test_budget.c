/* A budget that threads share. */
#include <check.h>
#include <pthread.h>
#include <stdint.h>

#include "server/base/budget.h"
#include "tests/support/suite.h"

enum { ROUNDS = 200000, SMALL = 10, LARGE = 100 };

START_TEST(what_is_taken_is_not_there_until_it_is_given_back)
{
    struct budget budget = {.max = LARGE};
    ck_assert(budget_take(&budget, LARGE - SMALL));
    ck_assert(!budget_take(&budget, SMALL + 1));
    ck_assert(!budget_take(&budget, SIZE_MAX));
    ck_assert_uint_eq(budget_used(&budget), LARGE - SMALL);
    ck_assert(budget_take(&budget, SMALL));
    ck_assert(budget_take(&budget, 0));
    ck_assert(!budget_take(&budget, 1));
    budget_give(&budget, LARGE);
    ck_assert(budget_take(&budget, LARGE));
}
END_TEST

static void *ask_for_too_much(void *argument)
{
    struct budget *budget = argument;
    for (int i = 0; i < ROUNDS; i++)
        if (budget_take(budget, LARGE))
            return budget;
    return NULL;
}

/* The small amount is always there: the large one is never. */
START_TEST(a_refused_amount_takes_nothing_from_others)
{
    void *taken;
    pthread_t thread;
    struct budget budget = {.max = LARGE};
    ck_assert(budget_take(&budget, SMALL));
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_for_too_much, &budget), 0);
    for (int i = 0; i < ROUNDS; i++) {
        ck_assert(budget_take(&budget, SMALL));
        budget_give(&budget, SMALL);
    }
    pthread_join(thread, &taken);
    ck_assert_ptr_null(taken);
    ck_assert_uint_eq(budget_used(&budget), SMALL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("budget");
    TCase *tests = tcase_create("budget");
    tcase_add_test(tests, what_is_taken_is_not_there_until_it_is_given_back);
    tcase_add_test(tests, a_refused_amount_takes_nothing_from_others);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
