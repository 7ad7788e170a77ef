#include "tests/support/suite.h"

#include <signal.h>
#include <stdlib.h>

TCase *suite_case(Suite *suite, const char *name, SFun set_up, SFun tear_down, double seconds)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, seconds);
    suite_add_tcase(suite, tests);
    return tests;
}

unsigned long suite_rounds(unsigned long usual)
{
    const char *wanted = getenv("TEMPOTROND_FUZZ");
    return wanted != NULL ? strtoul(wanted, NULL, 10) : usual;
}

/* Servers that are started under nohup, or after another job of a shell, would ignore them too. */
static void ignore_no_signal(void)
{
    static const int awaited[] = {SIGTERM, SIGINT, SIGHUP};
    for (int i = 0; i < ROWS(awaited); i++)
        signal(awaited[i], SIG_DFL);
}

int suite_run(Suite *suite)
{
    ignore_no_signal();
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
