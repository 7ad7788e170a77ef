/* fuzz.h - what the fuzz targets share. Each is a program of libFuzzer's: it is given any bytes,
 * and must neither crash, nor leak, nor break what demand() says. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/base/problem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program as a crash unless the condition is met. */
static inline void demand(bool is_met)
{
    if (!is_met)
        abort();
}

/* What was read is whole, or a problem of the client's says why it is not. */
static inline void demand_outcome(bool is_whole, const struct problem *problem)
{
    demand(is_whole != problem_is_set(problem));
    demand(problem->code != PROBLEM_INTERNAL);
}

/* A regular file of these bytes; close() it. */
int fuzz_file(const uint8_t *data, size_t size);

#endif
