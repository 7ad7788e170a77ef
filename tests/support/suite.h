/* suite.h - what a test program's main begins and ends with. */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <check.h>

/* How many rows a table has, each of which is one run of a test in a loop. */
#define ROWS(table) ((int)(sizeof(table) / sizeof *(table)))

/* A case of the suite, whose tests are each set up and torn down, and may take so many seconds. */
TCase *suite_case(Suite *suite, const char *name, SFun set_up, SFun tear_down, double seconds);

/* How many random inputs a test tries: TEMPOTROND_FUZZ of the environment, or `usual`. */
unsigned long suite_rounds(unsigned long usual);

/* Runs the suite, and frees it. The program's exit status. */
int suite_run(Suite *suite);

#endif
