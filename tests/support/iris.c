#include "tests/support/iris.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/evaluation.h"
#include "core/random.h"
#include "tests/support/trained.h"
#include "tests/support/views.h"

/* The benchmarks use this too, where no test runs that could fail. */
static void must(bool holds)
{
    if (!holds)
        abort();
}

static int32_t class_of(const char *species)
{
    static const char *const names[] = {"setosa", "versicolor", "virginica"};
    for (int32_t i = 0; i < IRIS_CLASSES; i++)
        if (strcmp(species, names[i]) == 0)
            return i;
    abort();
}

void iris_load(struct iris *iris)
{
    static const float x_min[] = {4.3f, 2, 1, 0.1f}, x_max[] = {7.9f, 4.4f, 6.9f, 2.5f};
    char species[32];
    memset(iris, 0, sizeof *iris);
    FILE *file = fopen("examples/iris.csv", "r");
    must(file != NULL);
    must(fscanf(file, "%*[^\n]\n") == 0);
    for (size_t i = 0; i < IRIS_COUNT; i++) {
        float *x = iris->values + i * IRIS_FEATURES;
        must(fscanf(file, "%f,%f,%f,%f,%31s\n", &x[0], &x[1], &x[2], &x[3], species) == 5);
        iris->label[i] = class_of(species);
    }
    fclose(file);
    must(gaussian_tuning_init(&iris->encoder.gaussian_tuning, IRIS_FEATURES, IRIS_NEURONS, x_min,
                              x_max, 100) == CORE_OK);
    must(encoding_init(&iris->encoding, &iris->encoder, 100) == CORE_OK);
    iris->all = view_values(SAMPLES_VALUES, IRIS_COUNT, IRIS_FEATURES, iris->values, iris->label);
}

void iris_finish(struct iris *iris)
{
    encoding_finish(&iris->encoding);
    encoder_finish(&iris->encoder);
}

void iris_fold(struct iris *iris, uint32_t seed, size_t fold, struct samples *training,
               struct samples *test)
{
    enum { TEST = IRIS_COUNT / 5 };
    struct random random;
    uint32_t order[IRIS_COUNT];
    for (uint32_t i = 0; i < IRIS_COUNT; i++)
        order[i] = i;
    random_init(&random, seed);
    random_shuffle(&random, order, IRIS_COUNT, NULL);
    for (size_t i = 0; i < IRIS_COUNT; i++) {
        const size_t from = order[(i + fold * TEST) % IRIS_COUNT];
        memcpy(iris->shuffled_values + i * IRIS_FEATURES, iris->values + from * IRIS_FEATURES,
               IRIS_FEATURES * sizeof(float));
        iris->shuffled_label[i] = iris->label[from];
    }
    *test = iris->all;
    test->count = TEST;
    test->data.values = iris->shuffled_values;
    test->targets.label = iris->shuffled_label;
    *training = iris->all;
    training->count = IRIS_COUNT - TEST;
    training->data.values = iris->shuffled_values + TEST * IRIS_FEATURES;
    training->targets.label = iris->shuffled_label + TEST;
}

double iris_accuracy(struct iris *iris, struct network *network, uint32_t seed, size_t fold,
                     const struct training_params *params)
{
    struct samples training, test;
    struct evaluation evaluation;
    iris_fold(iris, seed, fold, &training, &test);
    ck_assert_int_eq(network_train(network, &training, NULL, &iris->encoding, params, NULL, NULL),
                     CORE_OK);
    ck_assert_int_eq(network_evaluate(network, &test, &iris->encoding, &params->loss, NULL, NULL,
                                      &evaluation, NULL),
                     CORE_OK);
    return evaluation.accuracy;
}

void iris_expect_patience(struct network *network, struct network *equal,
                          struct training_params params)
{
    enum { ENOUGH = 1000, PATIENCE = 5 };
    struct iris iris;
    struct samples training, validation;
    struct last_epoch last = {0};
    struct evaluation evaluation;
    const struct training_observer observer = {.context = &last, .on_epoch = keep_epoch};
    params.loop.epochs = ENOUGH;
    params.loop.patience = PATIENCE;
    iris_load(&iris);
    iris_fold(&iris, 0, 0, &training, &validation);
    ck_assert_int_eq(
        network_train(network, &training, &validation, &iris.encoding, &params, &observer, NULL),
        CORE_OK);
    ck_assert_uint_lt(last.epochs, ENOUGH);
    ck_assert_int_eq(network_evaluate(network, &validation, &iris.encoding, &params.loss, NULL,
                                      NULL, &evaluation, NULL),
                     CORE_OK);
    ck_assert_double_lt(evaluation.loss, last.epoch.validation_loss);
    params.loop.epochs = last.epochs - PATIENCE;
    params.loop.patience = 0;
    ck_assert_int_eq(
        network_train(equal, &training, &validation, &iris.encoding, &params, NULL, NULL), CORE_OK);
    ck_assert(same_weights(network, equal));
    iris_finish(&iris);
}

json_t *iris_model(const char *id)
{
    return json_pack("{s:s, s:i, s:i, s:{s:s, s:i, s:[f,f,f,f], s:[f,f,f,f], s:i}}", "id", id,
                     "out_features", IRIS_CLASSES, "T", 100, "encoder", "type", "gaussian_tuning",
                     "m", IRIS_NEURONS, "x_min", 4.3, 2.0, 1.0, 0.1, "x_max", 7.9, 4.4, 6.9, 2.5,
                     "max_spike_time", 100);
}
