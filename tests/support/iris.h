/* iris.h - Fisher's Iris data (examples/iris.csv) as samples with an encoder, and its folds. */
#ifndef TESTS_SUPPORT_IRIS_H
#define TESTS_SUPPORT_IRIS_H

#include <jansson.h>

#include "core/samples.h"
#include "core/training.h"

enum { IRIS_COUNT = 150, IRIS_FEATURES = 4, IRIS_CLASSES = 3, IRIS_NEURONS = 16 };

struct iris {
    float values[IRIS_COUNT * IRIS_FEATURES];
    int32_t label[IRIS_COUNT];
    struct encoder encoder; /* Gaussian, 16 neurons a feature, max_spike_time 100 */
    struct encoding encoding;
    struct samples all;

    /* The samples in the order of the last iris_fold(). */
    float shuffled_values[IRIS_COUNT * IRIS_FEATURES];
    int32_t shuffled_label[IRIS_COUNT];
};

void iris_load(struct iris *iris);
void iris_finish(struct iris *iris);

/* One of five folds of the data as shuffled by `seed`: 120 samples to train on, 30 to test. Both
 * borrow from iris, until the next call. */
void iris_fold(struct iris *iris, uint32_t seed, size_t fold, struct samples *training,
               struct samples *test);

/* Trains the network on a fold, and returns the share of the others that it gets right. */
double iris_accuracy(struct iris *iris, struct network *network, uint32_t seed, size_t fold,
                     const struct training_params *params);

/* Trains the network with patience, and then one that was equal for as many epochs as its best one
 * had. Asserts that it kept the weights of that one. */
void iris_expect_patience(struct network *network, struct network *equal,
                          struct training_params params);

/* A model of them as POST /models takes it, with an encoder like theirs. */
json_t *iris_model(const char *id);

#endif
