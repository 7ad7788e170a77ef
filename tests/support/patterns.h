/* patterns.h - a model that trains on patterns of spikes, for tests that ask what becomes of runs
 * and versions, not what is learned. */
#ifndef TESTS_SUPPORT_PATTERNS_H
#define TESTS_SUPPORT_PATTERNS_H

#include <stddef.h>

#include "tests/support/http.h"

enum { PATTERN_AFFERENTS = 8, PATTERN_CLASSES = 3, PATTERN_STEPS = 100 };

/* A server that trains two models at the same time. */
void patterns_start(void);

/* Samples as "in_spikes" takes them. */
json_t *patterns(size_t count);

void create_pattern_model(const struct service *service, const char *id);

/* An order on 120 of the samples; the number of a run that is queued with seed 1. */
json_t *pattern_order(int epochs, int seed);
json_int_t queue_patterns(const struct service *service, const char *model, int epochs);

/* What one pattern makes of the model: of a version, or with 0 of the one served. */
json_t *predict_pattern(const struct service *service, const char *model, json_int_t version);

/* The version that is served, by its number; the newest one, as it is listed. */
json_int_t served_version(const struct service *service, const char *model);
json_t *newest_version(const struct service *service, const char *model);

#endif
