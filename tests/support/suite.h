/* suite.h - what every test program's main ends with. */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>

/* Runs the suite, and frees it. The program's exit status. */
int suite_run(Suite *suite);

#endif
