#include "tests/support/problems.h"

#include <check.h>

void expect_refusal(const struct problem *problem, enum problem_code code, const char *detail)
{
    ck_assert_str_eq(problem->detail, detail);
    ck_assert_str_eq(problem_name(problem->code), problem_name(code));
}
