/* The potential of one spike against SpikingJelly's, and its peak. */
#include <check.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/psp_kernel.h"
#include "tests/support/golden.h"
#include "tests/support/suite.h"

static void psp_kernel_case(const json_t *golden)
{
    const size_t count = json_array_size(json_object_get(golden, "t"));
    float *t = golden_floats(golden, "t", count), *k = golden_floats(golden, "k", count);
    const double tau = golden_number(golden, "tau"), tau_s = golden_number(golden, "tau_s");
    for (size_t i = 0; i < count; i++)
        ck_assert_double_eq_tol(psp_kernel((double)t[i], tau, tau_s), (double)k[i], 1e-6);
    free(k);
    free(t);
}

START_TEST(psp_kernel_equals_golden)
{
    golden_each("psp_kernel", psp_kernel_case);
}
END_TEST

START_TEST(psp_peaks_at_v_threshold)
{
    const double tau_s[] = {3.75, 14.9999999, 0.01};
    for (size_t i = 0; i < 3; i++) {
        struct psp psp;
        psp_init(&psp, 15, tau_s[i], 2);
        ck_assert_double_eq_tol(psp_value(&psp, psp.t_peak), 2, 1e-9);
        ck_assert_double_lt(psp_value(&psp, psp.t_peak * 1.01), 2);
        ck_assert_double_lt(psp_value(&psp, psp.t_peak * 0.99), 2);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("psp_kernel");
    TCase *tests = tcase_create("core");
    tcase_add_test(tests, psp_kernel_equals_golden);
    tcase_add_test(tests, psp_peaks_at_v_threshold);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
