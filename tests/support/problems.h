/* problems.h - what the server's functions say is wrong. For the answers of a server see client.h.
 */
#ifndef TESTS_SUPPORT_PROBLEMS_H
#define TESTS_SUPPORT_PROBLEMS_H

#include "server/base/problem.h"

/* Asserts the code and the detail of a problem. */
void expect_refusal(const struct problem *problem, enum problem_code code, const char *detail);

#endif
