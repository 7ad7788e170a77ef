/* refusals.h - requests that are refused, as rows of a table, and the server that refuses them. */
#ifndef TESTS_SUPPORT_REFUSALS_H
#define TESTS_SUPPORT_REFUSALS_H

#include "tests/support/ask.h"

enum { REFUSAL_MAX_BODY = 65536 };

/* Starts the fixture's server, which takes bodies up to REFUSAL_MAX_BODY, with the models "plain"
 * of 2 features and 2 outputs, "named" of one feature and the labels "low" and "high", and "long",
 * which costs much. Run 1 has trained "plain". */
void refusals_start(void);

/* Samples of each. */
#define PLAIN_SAMPLES "\"in_spikes\": [[1, 2], [3, -1]], \"label\": [0, 1]"
#define NAMED_SAMPLES "\"x\": [[0.1], [0.9]], \"label\": [\"low\", \"high\"]"
#define PREDICT       "/models/plain/predict"
#define TRAIN         "/models/named/train"

/* Fields of an encoder. */
#define TUNING "\"m\": 4, \"x_min\": [0], \"x_max\": [1]"

/* A request, and what expect_refused() says of it. */
struct refusal {
    const char *method, *path, *body;
    long status;
    const char *code, *names;
};

void expect_refusal_row(const struct refusal *row);

#endif
