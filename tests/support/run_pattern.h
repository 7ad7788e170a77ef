/* run_pattern.h - a pattern by itself in a tempotron's membranes. */
#ifndef TESTS_SUPPORT_RUN_PATTERN_H
#define TESTS_SUPPORT_RUN_PATTERN_H

#include <stdlib.h>

#include "core/membranes.h"

/* membranes_run(), with a timeline that is forgotten; the benchmarks use this too, in which no test
 * runs that could fail. */
static inline void run_pattern(const struct tempotron *tempotron, const struct pattern *pattern,
                               struct membranes *membranes, float *v)
{
    struct arena arena = {0};
    struct timeline timeline;
    timeline_init(&timeline, tempotron->params.clock, pattern->capacity, &arena);
    if (arena_status(&arena) != CORE_OK)
        abort();
    timeline_read(&timeline, tempotron, pattern);
    membranes_run(tempotron, pattern, &timeline, membranes, v);
    arena_finish(&arena);
}

#endif
