/* golden.h - reads the golden vectors, SpikingJelly's outputs, of tests/golden/. */
#ifndef TESTS_SUPPORT_GOLDEN_H
#define TESTS_SUPPORT_GOLDEN_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/* Calls check(case) for every case of tests/golden/NAME.json; fails if there is none. */
void golden_each(const char *name, void (*check)(const json_t *golden));

double golden_number(const json_t *golden, const char *name);
size_t golden_size(const json_t *golden, const char *name);

/* The numbers of an array of any depth, in order; free(). Fails unless there are `count`. */
float *golden_floats(const json_t *golden, const char *name, size_t count);
int32_t *golden_labels(const json_t *golden, const char *name, size_t count);

/* Asserts that the numbers of an array, of any depth, differ by no more than the tolerance. */
void expect_near(const json_t *actual, const json_t *expected, const char *name, size_t count,
                 float tolerance);

#endif
