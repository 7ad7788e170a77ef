/* Networks over HTTP: hidden layers, and several neurons a class, from the model's creation to its
 * evaluation. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

enum { SIDE = 4, PIXELS = SIDE * SIDE, PICTURES = 60, CLASSES = 3, TEXT = 1024 };

/* --- what is asked --- */

/* Every kind of network. */
static const char *const kinds[] = {
    "\"hidden\": [24]",
    "\"hidden\": [24], \"hidden_spike\": \"peak\"",
    "\"hidden\": [40, 16]",
    "\"hidden\": [20, 16], \"clock\": \"continuous\"",
    "\"neurons_per_class\": 4, \"score_beta\": 3",
    "\"hidden\": [40], \"neurons_per_class\": 2",
    "\"hidden\": [16, 20, 12], \"clock\": \"continuous\", \"neurons_per_class\": 3",
};
enum { KINDS = sizeof kinds / sizeof *kinds };
static const int depths[] = {2, 2, 3, 3, 1, 2, 4}, groups[] = {1, 1, 1, 1, 4, 2, 3};

/* A network for the pictures; more of its fields. */
static void create_kind(const struct service *service, const char *id, int kind, const char *more)
{
    char model[TEXT];
    snprintf(model, sizeof model,
             "{\"id\": \"%s\", \"out_features\": %d, \"T\": 32, \"tau\": 30, \"encoder\": {"
             "\"type\": \"latency\", \"n\": %d, \"x_min\": 0, \"x_max\": 255, \"max_spike_time\":"
             " 16}, %s%s}",
             id, CLASSES, PIXELS, kinds[kind], more);
    create_model_of_text(service, model);
}

/* A bright row, column or diagonal on a dark ground, as a dataset of this type. */
static void put_pictures(const struct service *service, const char *id, const char *type)
{
    double pixels[PICTURES * PIXELS], labels[PICTURES];
    char path[64];
    uint32_t random = 5;
    for (size_t b = 0; b < PICTURES; b++) {
        const size_t at = next_random(&random) % SIDE;
        labels[b] = (double)(b % CLASSES);
        for (size_t i = 0; i < PIXELS; i++) {
            const size_t y = i / SIDE, x = i % SIDE;
            const size_t of_class[CLASSES] = {y, x, (x + y) % SIDE};
            const uint32_t noise = next_random(&random) % 40;
            pixels[b * PIXELS + i] = of_class[b % CLASSES] == at ? 200 + noise : noise / 3 * 3;
        }
    }
    snprintf(path, sizeof path, "/datasets/%s/x", id);
    json_decref(put_file(service, path, npy_of_numbers(type, "(60, 4, 4)", pixels, 60 * 16)));
    snprintf(path, sizeof path, "/datasets/%s/label", id);
    json_decref(put_file(service, path, npy_of_numbers("|u1", "(60,)", labels, PICTURES)));
}

/* Everything that keeps a network from learning by heart; of a model of this kind. */
static json_t *order_of(int kind, const char *dataset, int epochs)
{
    json_t *order =
        json_pack("{s:s, s:i, s:i, s:s, s:f, s:s, s:s, s:f, s:f, s:f, s:{s:i, s:i, s:i}, s:i}",
                  "dataset", dataset, "epochs", epochs, "batch_size", 8, "optimizer", "adam",
                  "learning_rate", 0.02, "learning_rate_schedule", "cosine", "loss",
                  "cross_entropy", "beta", 4.0, "input_dropout", 0.125, "max_grad_norm", 3.5,
                  "augment", "shift", 1, "height", SIDE, "width", SIDE, "seed", 9);
    if (strstr(kinds[kind], "hidden") != NULL && strstr(kinds[kind], "peak") == NULL)
        json_object_set_new(order, "slope_floor", json_real(1.5));
    if (depths[kind] > 1) {
        json_object_set_new(order, "dropout", json_real(0.25));
        json_object_set_new(order, "silence_cost", json_real(1e-4));
    }
    return order;
}

/* --- what is answered --- */

static double number_of(const json_t *object, const char *name)
{
    const json_t *number = json_object_get(object, name);
    ck_assert_msg(json_is_number(number), "%s is no number", name);
    return json_number_value(number);
}

static double number_at(const json_t *matrix, size_t row, size_t column)
{
    const json_t *number = json_array_get(json_array_get(matrix, row), column);
    ck_assert(json_is_number(number));
    return json_number_value(number);
}

static void expect_shape(const json_t *matrix, size_t rows, size_t columns)
{
    ck_assert_uint_eq(json_array_size(matrix), rows);
    for (size_t i = 0; i < rows; i++)
        ck_assert_uint_eq(json_array_size(json_array_get(matrix, i)), columns);
}

static json_t *ask_text(const char *path, const char *body)
{
    return http_post(&server, path, json_loads(body, 0, NULL));
}

/* Everything that a model, or a version ("m/versions/1"), says to the pictures. */
static json_t *answers_of(const struct service *service, const char *model)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s/predict", model);
    json_t *answer =
        http_post(service, path,
                  json_pack("{s:s, s:b, s:[s, s, s, s, s]}", "dataset", "pictures", "explain", 1,
                            "ret_type", "label", "v_max", "score", "spikes", "v"));
    json_object_del(answer, "model");
    json_object_del(answer, "version");
    return answer;
}

static void expect_equal(json_t *take_one, json_t *take_other)
{
    ck_assert(json_equal(take_one, take_other));
    json_decref(take_one);
    json_decref(take_other);
}

static void expect_refusal(const char *method, const char *path, const char *body, const char *code,
                           const char *names)
{
    struct http_answer answer = http_send(&server, method, path, body, NULL);
    expect_problem(&answer, 422, code);
    ck_assert_msg(strcmp(problem_names(&answer), names) == 0, "%s: %s", body, answer.body);
    ck_assert_msg(json_array_size(json_object_get(answer.json, "errors")) == 1, "%s: %s", body,
                  answer.body);
    http_answer_finish(&answer);
}

/* --- models --- */

#define FOUR_TO_TWO "\"in_features\": 4, \"out_features\": 2, \"T\": 20"

START_TEST(models_tell_their_layers)
{
    static const struct {
        const char *given, *hidden, *spike;
        int group;
        double beta;
    } rows[] = {
        {"\"hidden\": [5]", "[5]", "crossing", 0, 0},
        {"\"hidden\": [5.0, 1, 65536], \"hidden_spike\": \"peak\"", "[5,1,65536]", "peak", 0, 0},
        {"\"hidden\": [1, 2, 3, 4, 5, 6, 7, 8], \"clock\": \"continuous\"", "[1,2,3,4,5,6,7,8]",
         "crossing", 0, 0},
        {"\"neurons_per_class\": 3", NULL, NULL, 3, 5},
        {"\"neurons_per_class\": 3, \"score_beta\": 0.1", NULL, NULL, 3, 0.1},
        {"\"hidden\": [5], \"neurons_per_class\": 2, \"score_beta\": 7", "[5]", "crossing", 2, 7},
        {"\"neurons_per_class\": 1", NULL, NULL, 0, 0},
        {"\"hidden\": []", NULL, NULL, 0, 0},
        {"\"hidden\": null, \"hidden_spike\": null, \"neurons_per_class\": null, \"score_beta\":"
         " null, \"weight\": null",
         NULL, NULL, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char model[TEXT];
        snprintf(model, sizeof model, "{\"id\": \"m%zu\", " FOUR_TO_TWO ", %s}", i, rows[i].given);
        create_model_of_text(&server, model);
    }
    for (int restarted = 0; restarted < 2; restarted++, service_restart(&server)) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
            char path[32];
            snprintf(path, sizeof path, "/models/m%zu", i);
            json_t *model = http_get(&server, path), *hidden = json_object_get(model, "hidden");
            char *text = hidden != NULL ? json_dumps(hidden, JSON_COMPACT) : NULL;
            ck_assert_pstr_eq(text, rows[i].hidden);
            ck_assert_pstr_eq(json_string_value(json_object_get(model, "hidden_spike")),
                              rows[i].spike);
            ck_assert_int_eq(json_integer_value(json_object_get(model, "neurons_per_class")),
                             rows[i].group);
            ck_assert_double_eq(json_number_value(json_object_get(model, "score_beta")),
                                rows[i].beta);
            ck_assert_int_eq(member_integer(model, "out_features"), 2);
            free(text);
            json_decref(model);
        }
    }
}
END_TEST

START_TEST(wrong_models_are_named)
{
    static const struct {
        const char *fields, *code, *pointer;
    } rows[] = {
        {"\"hidden\": 5", "wrong_type", "/hidden"},
        {"\"hidden\": [[5]]", "wrong_type", "/hidden/0"},
        {"\"hidden\": [\"5\"]", "wrong_type", "/hidden/0"},
        {"\"hidden\": [0]", "out_of_range", "/hidden/0"},
        {"\"hidden\": [-1]", "out_of_range", "/hidden/0"},
        {"\"hidden\": [3, 1.5]", "out_of_range", "/hidden/1"},
        {"\"hidden\": [3, 65537]", "out_of_range", "/hidden/1"},
        {"\"hidden\": [1e30]", "out_of_range", "/hidden/0"},
        {"\"hidden\": [1, 2, 3, 4, 5, 6, 7, 8, 9]", "too_large", "/hidden"},
        {"\"hidden\": [4096, 4096]", "too_large", "/hidden"},
        {"\"hidden\": [65536], \"T\": 257", "too_large", "/T"},
        {"\"hidden_spike\": \"crossing\"", "conflicting_fields", "/hidden_spike"},
        {"\"hidden_spike\": \"peak\", \"clock\": \"continuous\"", "conflicting_fields",
         "/hidden_spike"},
        {"\"hidden\": [3], \"hidden_spike\": \"peak\", \"clock\": \"continuous\"",
         "conflicting_fields", "/hidden_spike"},
        {"\"hidden\": [3], \"hidden_spike\": \"first\"", "unknown_value", "/hidden_spike"},
        {"\"hidden\": [3], \"hidden_spike\": 1", "wrong_type", "/hidden_spike"},
        {"\"neurons_per_class\": 0", "out_of_range", "/neurons_per_class"},
        {"\"neurons_per_class\": 1.5", "wrong_type", "/neurons_per_class"},
        {"\"neurons_per_class\": 65537", "out_of_range", "/neurons_per_class"},
        {"\"neurons_per_class\": 60000, \"T\": 1, \"in_features\": 200", "too_large",
         "/neurons_per_class"},
        {"\"neurons_per_class\": 60000, \"T\": 200", "too_large", "/T"},
        {"\"score_beta\": 5", "conflicting_fields", "/score_beta"},
        {"\"neurons_per_class\": 1, \"score_beta\": 5", "conflicting_fields", "/score_beta"},
        {"\"neurons_per_class\": 2, \"score_beta\": 0", "out_of_range", "/score_beta"},
        {"\"neurons_per_class\": 2, \"score_beta\": \"5\"", "wrong_type", "/score_beta"},
        {"\"hidden\": [3], \"weight\": [[1, 2, 3], [4, 5, 6]]", "missing_field", "/hidden_0"},
        {"\"hidden\": [1], \"hidden_0\": [[1, 2, 3, 4]]", "missing_field", "/weight"},
        {"\"hidden\": [1], \"hidden_0\": [[1], [2], [3], [4]], \"weight\": [[1], [2]]",
         "wrong_shape", "/hidden_0"},
        {"\"hidden\": [1], \"hidden_0\": [[1, 2, 3, 4]], \"weight\": [[1, 2]]", "wrong_shape",
         "/weight"},
        {"\"hidden\": [1], \"hidden_0\": [[1, 2, 3, 1e39]], \"weight\": [[1], [2]]", "not_finite",
         "/hidden_0/0/3"},
        {"\"hidden\": [1], \"hidden_1\": [[1]]", "unknown_field", "/hidden_1"},
        {"\"hidden_0\": [[1, 2, 3, 4]]", "unknown_field", "/hidden_0"},
        {"\"hidden\": [1], \"hidden_0\": [[1, 2, 3, 4]], \"weight\": [[1], [2]], \"tau\": 0",
         "out_of_range", "/tau"},
        {"\"neurons_per_class\": 2, \"labels\": [\"a\", \"b\", \"c\", \"d\"]", "wrong_shape",
         "/labels"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[TEXT], of_all[TEXT] = "";
        if (strstr(rows[i].fields, "\"in_features\"") == NULL)
            strcat(of_all, ", \"in_features\": 4");
        if (strstr(rows[i].fields, "\"T\"") == NULL)
            strcat(of_all, ", \"T\": 20");
        snprintf(body, sizeof body, "{\"out_features\": 2, %s%s}", rows[i].fields, of_all);
        expect_refusal("POST", "/models", body, rows[i].code, rows[i].pointer);
    }
}
END_TEST

START_TEST(as_many_names_as_classes)
{
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"neurons_per_class\": 3,"
                                  " \"labels\": [\"no\", \"yes\"], \"weight\": [[0, 0, 0, 0],"
                                  " [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0],"
                                  " [1, 0, 0, 0]]}");
    json_t *answer = ask_text("/models/m/predict", "{\"in_spikes\": [[1, 1, 1, 1]]}");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(answer, "label"), 0)), "yes");
    json_decref(answer);
    expect_refusal("PATCH", "/models/m", "{\"labels\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]}",
                   "wrong_shape", "/labels");
    expect_refusal("POST", "/models/m/evaluate", "{\"in_spikes\": [[1, 1, 1, 1]], \"label\": [2]}",
                   "label_out_of_range", "/label/0");
}
END_TEST

/* --- training --- */

START_TEST(wrong_trainings_are_named)
{
    static const struct {
        const char *model, *fields, *code, *pointer;
    } rows[] = {
        {"flat", "\"dropout\": 0.1", "conflicting_fields", "/dropout"},
        {"flat", "\"silence_cost\": 0.1", "conflicting_fields", "/silence_cost"},
        {"deep", "\"dropout\": 1", "out_of_range", "/dropout"},
        {"deep", "\"dropout\": -0.1", "out_of_range", "/dropout"},
        {"deep", "\"dropout\": true", "wrong_type", "/dropout"},
        {"flat", "\"input_dropout\": 1", "out_of_range", "/input_dropout"},
        {"deep", "\"silence_cost\": -1", "out_of_range", "/silence_cost"},
        {"deep", "\"silence_cost\": 1e7", "out_of_range", "/silence_cost"},
        {"flat", "\"slope_floor\": 1", "conflicting_fields", "/slope_floor"},
        {"deep", "\"slope_floor\": -1", "out_of_range", "/slope_floor"},
        {"deep", "\"slope_floor\": 1e7", "out_of_range", "/slope_floor"},
        {"peak", "\"slope_floor\": 1", "conflicting_fields", "/slope_floor"},
        {"flat", "\"max_grad_norm\": 0", "out_of_range", "/max_grad_norm"},
        {"flat", "\"max_grad_norm\": 1e10", "out_of_range", "/max_grad_norm"},
        {"flat", "\"augment\": 1", "wrong_type", "/augment"},
        {"flat", "\"augment\": {\"height\": 2, \"width\": 3}", "missing_field", "/augment/shift"},
        {"flat", "\"augment\": {\"shift\": 1, \"height\": 6}", "missing_field", "/augment/width"},
        {"flat", "\"augment\": {\"shift\": 0, \"height\": 2, \"width\": 3}", "out_of_range",
         "/augment/shift"},
        {"flat", "\"augment\": {\"shift\": 1001, \"height\": 2, \"width\": 3}", "out_of_range",
         "/augment/shift"},
        {"flat", "\"augment\": {\"shift\": 1, \"height\": 2, \"width\": 3, \"turn\": 1}",
         "unknown_field", "/augment/turn"},
        {"flat", "\"augment\": {\"shift\": 1, \"height\": 3, \"width\": 3}", "conflicting_fields",
         "/augment"},
        {"deep", "\"augment\": {\"shift\": 1, \"height\": 1000000, \"width\": 1000000}",
         "conflicting_fields", "/augment"},
    };
    static const char shift[] = "\"augment\": {\"shift\": 1, \"height\": 2, \"width\": 3}";
    char body[TEXT], path[64];
    static const char *const models[][2] = {
        {"flat", ""},
        {"deep", ", \"hidden\": [3]"},
        {"peak", ", \"hidden\": [3], \"hidden_spike\": \"peak\""},
    };
    for (int i = 0; i < 3; i++) {
        snprintf(body, sizeof body,
                 "{\"id\": \"%s\", \"out_features\": 2, \"encoder\": {\"type\": \"latency\", \"n\":"
                 " 6, \"x_min\": 0, \"x_max\": 9}%s}",
                 models[i][0], models[i][1]);
        create_model_of_text(&server, body);
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(path, sizeof path, "/models/%s/train", rows[i].model);
        snprintf(body, sizeof body, "{\"x\": [[1, 2, 3, 4, 5, 6]], \"label\": [0], %s}",
                 rows[i].fields);
        expect_refusal("POST", path, body, rows[i].code, rows[i].pointer);
    }
    snprintf(body, sizeof body, "{\"in_spikes\": [[1, 2, 3, 4, 5, 6]], \"label\": [0], %s}", shift);
    expect_refusal("POST", "/models/deep/train", body, "conflicting_fields", "/augment");
    create_plain_model(&server, "plain");
    snprintf(body, sizeof body, "{\"in_spikes\": [[1, 2]], \"label\": [0], %s}", shift);
    expect_refusal("POST", "/models/plain/train", body, "conflicting_fields", "/augment");
}
END_TEST

START_TEST(parameters_of_no_use_may_be_null)
{
    create_plain_model(&server, "plain");
    json_t *run = run_succeed(&server, "plain",
                              json_loads("{\"in_spikes\": [[1, 2]], \"label\": [0], \"epochs\": 1,"
                                         " \"dropout\": null, \"silence_cost\": null, \"augment\":"
                                         " null, \"max_grad_norm\": null, \"input_dropout\": 0}",
                                         0, NULL));
    static const char *const absent[] = {"dropout", "silence_cost", "augment", "max_grad_norm",
                                         "input_dropout"};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        ck_assert_ptr_null(json_object_get(json_object_get(run, "params"), absent[i]));
    json_decref(run);
}
END_TEST

/* What was ordered is what a run says it does; of hidden layers silence costs by default. */
START_TEST(runs_tell_their_parameters)
{
    static const char *const names[] = {"input_dropout", "max_grad_norm", "augment",
                                        "dropout",       "silence_cost",  "slope_floor"};
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "m", _i, "");
    json_t *order = order_of(_i, "pictures", 2);
    json_t *run = run_succeed(&server, "m", json_incref(order));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        json_t *given = json_object_get(order, names[i]);
        json_t *told = json_object_get(json_object_get(run, "params"), names[i]);
        ck_assert_msg(given == NULL ? told == NULL : json_equal(given, told), "%s", names[i]);
    }
    json_decref(run);
    json_decref(order);
    run = run_succeed(&server, "m", json_pack("{s:s, s:i}", "dataset", "pictures", "epochs", 1));
    const json_t *cost = json_object_get(json_object_get(run, "params"), "silence_cost");
    ck_assert(depths[_i] == 1 ? cost == NULL : json_number_value(cost) == 1e-5);
    const json_t *slope = json_object_get(json_object_get(run, "params"), "slope_floor");
    const bool crosses = depths[_i] > 1 && strstr(kinds[_i], "peak") == NULL;
    ck_assert(crosses ? json_number_value(slope) == 4 : slope == NULL);
    json_decref(run);
}
END_TEST

START_TEST(networks_learn)
{
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "m", _i, ", \"labels\": [\"row\", \"column\", \"diagonal\"]");
    json_t *order =
        json_pack("{s:s, s:i, s:i, s:s, s:f, s:s, s:s, s:f}", "dataset", "pictures", "epochs", 300,
                  "batch_size", 8, "optimizer", "adam", "learning_rate", 0.02,
                  "learning_rate_schedule", "cosine", "loss", "cross_entropy", "beta", 4.0);
    json_decref(run_succeed(&server, "m", order));
    json_t *evaluation = ask_text("/models/m/evaluate", "{\"dataset\": \"pictures\", \"loss\":"
                                                        " \"cross_entropy\"}");
    ck_assert_double_ge(number_of(evaluation, "accuracy"), 0.75);
    ck_assert_int_eq(member_integer(evaluation, "count"), PICTURES);
    expect_shape(json_object_get(evaluation, "confusion"), CLASSES, CLASSES);
    const json_t *classes = json_object_get(evaluation, "classes");
    ck_assert_uint_eq(json_array_size(classes), CLASSES);
    ck_assert_str_eq(member_string(json_array_get(classes, 2), "label"), "diagonal");
    ck_assert_double_eq(number_of(json_array_get(classes, 2), "support"), PICTURES / CLASSES);
    json_decref(evaluation);
}
END_TEST

/* --- answers --- */

static void expect_decision(const json_t *answer, size_t sample, size_t group, double beta)
{
    const json_t *v_max = json_object_get(answer, "v_max"),
                 *score = json_object_get(answer, "score");
    const json_t *why = json_array_get(json_object_get(answer, "explain"), sample);
    const json_t *label = json_array_get(json_object_get(answer, "label"), sample);
    const size_t output = (size_t)number_of(why, "output");
    size_t best = 0, greatest = 0;
    double next = -INFINITY;
    for (size_t k = 0; k < CLASSES; k++) {
        double sum = 0, expected = number_at(v_max, sample, k);
        for (size_t g = 0; g < group; g++)
            sum += exp(beta * number_at(v_max, sample, k * group + g));
        if (group > 1)
            expected = log(sum) / beta;
        ck_assert_double_eq_tol(number_at(score, sample, k), expected, 1e-5);
        if (number_at(score, sample, k) > number_at(score, sample, best))
            best = k;
    }
    ck_assert_int_eq(json_integer_value(label), (json_int_t)best);
    for (size_t k = 0; k < CLASSES; k++)
        next = k == best ? next : fmax(next, number_at(score, sample, k));
    ck_assert_double_eq_tol(number_of(why, "margin"), number_at(score, sample, best) - next, 1e-5);
    for (size_t g = 0; g < group; g++)
        if (number_at(v_max, sample, best * group + g) >
            number_at(v_max, sample, best * group + greatest))
            greatest = g;
    ck_assert_uint_eq(output, best * group + greatest);
}

/* The score of a class is the logarithm of a sum of exponentials of its neurons' v_max. */
START_TEST(scores_pool_the_peaks)
{
    static const double betas[] = {1, 1, 1, 1, 3, 5, 5};
    const size_t group = (size_t)groups[_i], neurons = CLASSES * group;
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "m", _i, "");
    json_decref(run_succeed(&server, "m", order_of(_i, "pictures", 3)));
    json_t *answer = answers_of(&server, "m");
    expect_shape(json_object_get(answer, "v_max"), PICTURES, neurons);
    expect_shape(json_object_get(answer, "spikes"), PICTURES, neurons);
    expect_shape(json_object_get(answer, "v"), PICTURES, neurons);
    expect_shape(json_object_get(answer, "score"), PICTURES, CLASSES);
    for (size_t b = 0; b < PICTURES; b++)
        expect_decision(answer, b, group, betas[_i]);
    json_decref(answer);
}
END_TEST

/* An array's numbers, and its header's shape: "(3, 4)". */
static void expect_array(const struct http_answer *answer, const json_t *expected,
                         const char *shape)
{
    enum { PREFIX = 10 };
    float number;
    size_t row, column;
    json_t *numbers, *value;
    ck_assert_int_eq(answer->status, 200);
    ck_assert_str_eq(http_header(answer, "content-type"), "application/x-npy");
    ck_assert_ptr_nonnull(strstr(answer->body + PREFIX, shape));
    const char *at = answer->body + PREFIX + (unsigned char)answer->body[8] +
                     256 * (unsigned char)answer->body[9];
    json_array_foreach((json_t *)(uintptr_t)expected, row, numbers) {
        json_array_foreach(numbers, column, value) {
            memcpy(&number, at, sizeof number);
            ck_assert_float_eq(number, (float)json_number_value(value));
            at += sizeof number;
        }
    }
    ck_assert_uint_eq((size_t)(at - answer->body), answer->size);
}

START_TEST(scores_are_an_array)
{
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "m", _i, "");
    json_t *scores =
        ask_text("/models/m/predict", "{\"dataset\": \"pictures\", \"ret_type\": \"score\"}");
    ck_assert_ptr_null(json_object_get(scores, "v_max"));
    struct http_answer answer = http_send(&server, "POST", "/models/m/predict",
                                          "{\"dataset\": \"pictures\", \"ret_type\": [\"score\"]}",
                                          "Accept: application/x-npy", NULL);
    expect_array(&answer, json_object_get(scores, "score"), "(60, 3)");
    http_answer_finish(&answer);
    json_decref(scores);
}
END_TEST

/* Of a sample; its v_max. */
static double add_contributions(const json_t *answer, size_t sample)
{
    size_t i;
    json_t *part;
    double sum = 0, size = 0, before = INFINITY;
    const json_t *why = json_array_get(json_object_get(answer, "explain"), sample);
    if (json_is_null(why))
        return 0;
    json_array_foreach(json_object_get(why, "contributions"), i, part) {
        const double potential = number_of(part, "potential");
        ck_assert_double_le(fabs(potential), before);
        before = fabs(potential);
        sum += potential;
        size += before;
    }
    const double v_max =
        number_at(json_object_get(answer, "v_max"), sample, (size_t)number_of(why, "output"));
    ck_assert_double_eq_tol(sum, v_max, 2e-6 * (size + 1));
    return v_max;
}

/* Ten contributions hold all that there are of ten afferents. */
START_TEST(contributions_add_up_to_the_peak)
{
    enum { MODELS = 12, SAMPLES = 3 };
    static const char spikes[] =
        "{\"in_spikes\": [[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 0.5, 3.25, -1, 2, 2, 11.75, 4, 0, 1],"
        " [-1, -1, 5, -1, 0, -1, 3, -1, 19, 2]], \"explain\": true}";
    char model[TEXT], path[32];
    int above = 0;
    for (int seed = 0; seed < MODELS; seed++) {
        snprintf(
            model, sizeof model,
            "{\"id\": \"m%d\", \"in_features\": 10, \"out_features\": 2, \"T\": 24, \"tau\": 8,"
            " \"seed\": %d, %s}",
            seed, seed, kinds[_i]);
        create_model_of_text(&server, model);
        snprintf(path, sizeof path, "/models/m%d/predict", seed);
        json_t *answer = ask_text(path, spikes);
        for (size_t b = 0; b < SAMPLES; b++)
            above += add_contributions(answer, b) > 0.1;
        json_decref(answer);
    }
    ck_assert_int_gt(above, MODELS);
}
END_TEST

/* Where a layer passes nothing on, nothing is decided. */
START_TEST(silence_between_layers_decides_nothing)
{
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"hidden\": [1], \"hidden_0\":"
                                  " [[-1, 0, 0, 2]], \"weight\": [[1], [2]]}");
    json_t *answer = ask_text("/models/m/predict", "{\"in_spikes\": [[1, -1, -1, -1], [-1, -1, -1,"
                                                   " 1]], \"explain\": true}");
    const json_t *label = json_object_get(answer, "label");
    ck_assert(json_is_null(json_array_get(label, 0)));
    ck_assert_int_eq(json_integer_value(json_array_get(label, 1)), 1);
    ck_assert(json_is_null(json_array_get(json_object_get(answer, "explain"), 0)));
    ck_assert_double_eq(number_at(json_object_get(answer, "v_max"), 0, 1), 0);
    json_decref(answer);
    answer = ask_text("/models/m/evaluate", "{\"in_spikes\": [[1, -1, -1, -1], [-1, -1, -1, 1]],"
                                            " \"label\": [0, 1]}");
    ck_assert_int_eq(member_integer(answer, "undecided"), 1);
    ck_assert_double_eq(number_of(answer, "accuracy"), 0.5);
    json_decref(answer);
}
END_TEST

/* --- weights and versions --- */

static void expect_tensor(const char *path, const json_t *expected, size_t rows, size_t columns)
{
    char shape[32];
    struct http_answer answer =
        http_send(&server, "GET", path, NULL, "Accept: application/x-npy", NULL);
    snprintf(shape, sizeof shape, "(%zu, %zu)", rows, columns);
    expect_shape(expected, rows, columns);
    expect_array(&answer, expected, shape);
    http_answer_finish(&answer);
}

/* The last layer by itself, fed with what the one before it fires. */
START_TEST(hidden_spikes_are_what_the_next_layer_gets)
{
    char model[TEXT], name[32];
    if (depths[_i] == 1)
        return;
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "m", _i, "");
    json_decref(run_succeed(&server, "m", order_of(_i, "pictures", 2)));
    json_t *answer =
        ask_text("/models/m/predict",
                 "{\"dataset\": \"pictures\", \"ret_type\": [\"hidden_spikes\", \"v_max\"]}");
    json_t *hidden = json_object_get(answer, "hidden_spikes");
    ck_assert_uint_eq(json_object_size(hidden), (size_t)depths[_i] - 1);
    snprintf(name, sizeof name, "hidden_%d", depths[_i] - 2);
    json_t *weights = http_get(&server, "/models/m/weights"),
           *spikes = json_object_get(hidden, name);
    json_t *weight = json_object_get(weights, "weight");
    const size_t in = json_array_size(json_array_get(weight, 0));
    expect_shape(spikes, PICTURES, in);
    snprintf(
        model, sizeof model,
        "{\"id\": \"last\", \"in_features\": %zu, \"out_features\": %zu, \"T\": 32, \"tau\": 30, "
        "\"clock\": \"%s\"}",
        in, json_array_size(weight),
        strstr(kinds[_i], "continuous") != NULL ? "continuous" : "grid");
    create_model_of_text(&server, model);
    json_decref(http_call(&server, 200, "PUT", "/models/last/weights",
                          json_pack("{s:O}", "weight", weight)));
    json_t *again = http_post(&server, "/models/last/predict",
                              json_pack("{s:O, s:s}", "in_spikes", spikes, "ret_type", "v_max"));
    ck_assert(json_equal(json_object_get(again, "v_max"), json_object_get(answer, "v_max")));
    json_decref(again);
    json_decref(weights);
    json_decref(answer);
}
END_TEST

START_TEST(hidden_spikes_of_one_layer_are_an_array)
{
    create_model_of_text(&server, "{\"id\": \"one\", " FOUR_TO_TWO
                                  ", \"hidden\": [3], \"hidden_0\": [[2, 2, 2, 2], [1, 1, 1, 1], "
                                  "[0, 0, 0, 0]], \"weight\": [[1, 1, 1], [1, 1, 1]]}");
    create_model_of_text(&server, "{\"id\": \"two\", " FOUR_TO_TWO ", \"hidden\": [3, 2]}");
    create_model_of_text(&server, "{\"id\": \"none\", " FOUR_TO_TWO "}");
    static const char question[] =
        "{\"in_spikes\": [[1, 2, 3, 4], [-1, -1, -1, -1]], \"ret_type\": \"hidden_spikes\"}";
    json_t *answer = ask_text("/models/one/predict", question);
    const json_t *spikes = json_object_get(json_object_get(answer, "hidden_spikes"), "hidden_0");
    ck_assert_double_ge(number_at(spikes, 0, 0), 0);
    ck_assert_double_eq(number_at(spikes, 1, 0), -1);
    struct http_answer array = http_send(&server, "POST", "/models/one/predict", question,
                                         "Accept: application/x-npy", NULL);
    expect_array(&array, spikes, "(2, 3)");
    http_answer_finish(&array);
    array = http_send(&server, "POST", "/models/two/predict", question, "Accept: application/x-npy",
                      NULL);
    expect_problem(&array, 406, "not_acceptable");
    http_answer_finish(&array);
    expect_refusal("POST", "/models/none/predict", question, "conflicting_fields", "/ret_type");
    json_decref(answer);
}
END_TEST

START_TEST(weights_make_the_round_trip)
{
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "one", _i, ", \"seed\": 1");
    create_kind(&server, "other", _i, ", \"seed\": 2");
    json_decref(run_succeed(&server, "one", order_of(_i, "pictures", 2)));
    json_t *weights = http_get(&server, "/models/one/weights");
    ck_assert_uint_eq(json_object_size(weights), 2 + (size_t)depths[_i]);
    json_decref(http_call(&server, 200, "PUT", "/models/other/weights", json_incref(weights)));
    expect_equal_weights(&server, "one", "other");
    expect_equal(answers_of(&server, "one"), answers_of(&server, "other"));
    json_object_del(weights, "model");
    json_object_del(weights, "version");
    json_object_set_new(weights, "id", json_string("third"));
    json_object_set_new(weights, "description", json_null());
    json_t *shown = http_get(&server, "/models/one");
    static const char *const kept[] = {
        "encoder",      "out_features",      "T",          "tau",  "hidden",
        "hidden_spike", "neurons_per_class", "score_beta", "clock"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if (json_object_get(shown, kept[i]) != NULL)
            json_object_set(weights, kept[i], json_object_get(shown, kept[i]));
    create_model(&server, weights);
    expect_equal(answers_of(&server, "one"), answers_of(&server, "third"));
    json_decref(shown);
}
END_TEST

START_TEST(weights_are_an_array_each)
{
    create_kind(&server, "m", 2, "");
    json_t *weights = http_get(&server, "/models/m/weights");
    expect_tensor("/models/m/weights?tensor=hidden_0", json_object_get(weights, "hidden_0"), 40,
                  PIXELS);
    expect_tensor("/models/m/weights?tensor=hidden_1", json_object_get(weights, "hidden_1"), 16,
                  40);
    expect_tensor("/models/m/weights?tensor=weight", json_object_get(weights, "weight"), CLASSES,
                  16);
    create_kind(&server, "flat", 4, "");
    json_t *flat = http_get(&server, "/models/flat/weights");
    expect_tensor("/models/flat/weights", json_object_get(flat, "weight"), CLASSES * 4, PIXELS);
    json_decref(flat);
    expect_equal(http_get(&server, "/models/m/weights?tensor=hidden_0"), weights);

    expect_refusal("GET", "/models/m/weights?tensor=hidden_2", NULL, "invalid_parameter", "tensor");
    expect_refusal("GET", "/models/flat/weights?tensor=hidden_0", NULL, "invalid_parameter",
                   "tensor");
    struct http_answer answer =
        http_send(&server, "GET", "/models/m/weights", NULL, "Accept: application/x-npy", NULL);
    expect_problem(&answer, 406, "not_acceptable");
    http_answer_finish(&answer);
    answer = http_send(&server, "GET", "/models/m/weights", NULL,
                       "Accept: application/x-npy, application/json", NULL);
    ck_assert_str_eq(http_header(&answer, "content-type"), "application/json");
    http_answer_finish(&answer);
}
END_TEST

static void put_tensor(const char *path, const char *shape, const double *numbers, size_t count,
                       json_int_t version)
{
    struct bytes body = npy_of_numbers("<f4", shape, numbers, count);
    struct http_answer answer =
        http_send_bytes(&server, "PUT", path, &body, "Content-Type: application/x-npy", NULL);
    ck_assert_msg(answer.status == 200, "%s", answer.body);
    ck_assert_int_eq(member_integer(answer.json, "version"), version);
    http_answer_finish(&answer);
    bytes_finish(&body);
}

/* The other layers stay as they are served. */
START_TEST(an_array_replaces_one_layer)
{
    static const double hidden[] = {1, 2, 3, 4}, last[] = {5, 6};
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"hidden\": [1]}");
    json_t *drawn = http_get(&server, "/models/m/weights");
    put_tensor("/models/m/weights?tensor=hidden_0", "(1, 4)", hidden, 4, 2);
    json_t *weights = http_get(&server, "/models/m/weights");
    json_t *expected =
        json_pack("{s:s, s:i, s:[[i, i, i, i]], s:O}", "model", "m", "version", 2, "hidden_0", 1, 2,
                  3, 4, "weight", json_object_get(drawn, "weight"));
    expect_equal(weights, expected);
    put_tensor("/models/m/weights?tensor=weight", "(2, 1)", last, 2, 3);
    expect_equal(http_get(&server, "/models/m/weights"),
                 json_pack("{s:s, s:i, s:[[i, i, i, i]], s:[[i], [i]]}", "model", "m", "version", 3,
                           "hidden_0", 1, 2, 3, 4, "weight", 5, 6));
    expect_equal(http_get(&server, "/models/m/versions/1/weights"), drawn);
}
END_TEST

START_TEST(wrong_weights_are_refused)
{
    static const struct {
        const char *body, *code, *pointer;
    } rows[] = {
        {"{\"weight\": [[1], [2]]}", "missing_field", "/hidden_0"},
        {"{\"hidden_0\": [[1, 2, 3, 4]]}", "missing_field", "/weight"},
        {"{\"hidden_0\": [[1, 2, 3, 4]], \"weight\": [[1, 2]]}", "wrong_shape", "/weight"},
        {"{\"hidden_0\": [[1, 2, 3]], \"weight\": [[1], [2]]}", "wrong_shape", "/hidden_0"},
        {"{\"hidden_0\": [1, 2, 3, 4], \"weight\": [[1], [2]]}", "wrong_type", "/hidden_0/0"},
        {"{\"hidden_0\": [[1, 2, 3, 4]], \"hidden_1\": [[1]], \"weight\": [[1], [2]]}",
         "unknown_field", "/hidden_1"},
    };
    const double numbers[] = {1, 2};
    struct bytes body = npy_of_numbers("<f4", "(2, 1)", numbers, 2);
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"hidden\": [1]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refusal("PUT", "/models/m/weights", rows[i].body, rows[i].code, rows[i].pointer);
    struct http_answer answer =
        http_send_bytes(&server, "PUT", "/models/m/weights", &body,
                        "Content-Type: application/x-npy", NULL); /* which is of one layer */
    expect_problem(&answer, 422, "invalid_parameter");
    ck_assert_str_eq(problem_names(&answer), "tensor");
    http_answer_finish(&answer);
    answer = http_send_bytes(&server, "PUT", "/models/m/weights?tensor=hidden_1", &body,
                             "Content-Type: application/x-npy", NULL);
    expect_problem(&answer, 422, "invalid_parameter");
    http_answer_finish(&answer);
    answer = http_send_bytes(&server, "PUT", "/models/m/weights?tensor=hidden_0", &body,
                             "Content-Type: application/x-npy", NULL);
    expect_problem(&answer, 422, "wrong_shape");
    ck_assert_str_eq(problem_names(&answer), "/hidden_0");
    http_answer_finish(&answer);
    bytes_finish(&body);
    json_t *model = http_get(&server, "/models/m");
    ck_assert_int_eq(member_integer(model, "version"), 1);
    json_decref(model);
}
END_TEST

START_TEST(a_restart_and_a_switch_keep_everything)
{
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "m", _i, "");
    json_t *before = answers_of(&server, "m");
    json_decref(run_succeed(&server, "m", order_of(_i, "pictures", 2)));
    json_t *after = answers_of(&server, "m"), *model = http_get(&server, "/models/m");
    json_t *weights = http_get(&server, "/models/m/weights");
    ck_assert(!json_equal(before, after));
    service_restart(&server);
    expect_equal(json_incref(model), http_get(&server, "/models/m"));
    expect_equal(weights, http_get(&server, "/models/m/weights"));
    expect_equal(json_incref(after), answers_of(&server, "m"));
    expect_equal(json_incref(before), answers_of(&server, "m/versions/1"));
    for (int version = 1; version <= 2; version++) {
        json_decref(
            http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:i}", "version", version)));
        expect_equal(json_incref(version == 1 ? before : after), answers_of(&server, "m"));
    }
    json_decref(model);
    json_decref(before);
    json_decref(after);
}
END_TEST

/* --- the same bits --- */

/* The weights that training makes of one seed, on a server of so many threads. */
static json_t *trained_by(const char *threads, int kind, const char *type)
{
    struct service service;
    service_start(&service, FLAGS("--threads", threads));
    put_pictures(&service, "pictures", type);
    create_kind(&service, "m", kind, "");
    json_decref(run_succeed(&service, "m", order_of(kind, "pictures", 4)));
    json_t *both =
        json_pack("[o, o]", http_get(&service, "/models/m/weights"), answers_of(&service, "m"));
    service_finish(&service);
    return both;
}

START_TEST(a_seed_gives_the_same_bits_with_any_threads)
{
    json_t *one = trained_by("1", _i, "|u1");
    expect_equal(json_incref(one), trained_by("3", _i, "|u1"));
    json_t *floats = trained_by("3", _i, "<f4");
    expect_equal(json_incref(json_array_get(one, 0)), json_incref(json_array_get(floats, 0)));
    json_decref(floats);
    json_decref(one);
}
END_TEST

/* Begun again after the end of the process, it comes to the same. */
START_TEST(a_run_survives_a_crash)
{
    enum { EPOCHS = 600 };
    put_pictures(&server, "pictures", "|u1");
    create_kind(&server, "whole", _i, "");
    create_kind(&server, "killed", _i, "");
    json_decref(run_succeed(&server, "whole", order_of(_i, "pictures", EPOCHS)));
    const json_int_t run = run_queue(&server, "killed", order_of(_i, "pictures", EPOCHS));
    json_decref(run_await(&server, run, run_is_running));
    service_kill(&server);
    service_restart(&server);
    json_t *ended = run_await(&server, run, run_has_ended);
    ck_assert_str_eq(member_string(ended, "state"), "succeeded");
    expect_equal_weights(&server, "whole", "killed");
    json_decref(ended);
}
END_TEST

/* --- limits --- */

static json_t *ones(size_t count)
{
    json_t *batch = json_array();
    for (size_t b = 0; b < count; b++)
        json_array_append_new(batch, json_pack("[i]", 1));
    return batch;
}

/* A sample is 16,908,545 additions, of which there may be 40,000,000,000. */
START_TEST(the_work_of_hidden_layers_is_limited)
{
    static const struct {
        const char *path;
        size_t count;
        bool explain;
        long status;
    } rows[] = {
        {"/models/wide/predict", 2366, false, 422}, {"/models/wide/evaluate", 2366, false, 422},
        {"/models/wide/predict", 60, true, 422},    {"/models/wide/predict", 60, false, 200},
        {"/models/wide/predict", 2, true, 200},
    };
    create_model_of_text(&server, "{\"id\": \"wide\", \"in_features\": 1, \"out_features\": 1,"
                                  " \"T\": 256, \"hidden\": [65536]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        json_t *body = json_pack("{s:o}", "in_spikes", ones(rows[i].count));
        if (rows[i].explain)
            json_object_set_new(body, "explain", json_true());
        if (strstr(rows[i].path, "evaluate") != NULL) {
            json_t *label = json_array();
            for (size_t b = 0; b < rows[i].count; b++)
                json_array_append_new(label, json_integer(0));
            json_object_set_new(body, "label", label);
        }
        json_t *answer = http_call(&server, rows[i].status, "POST", rows[i].path, body);
        if (rows[i].status == 422)
            ck_assert_str_eq(member_string(answer, "code"), "too_large");
        json_decref(answer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_networks");
    TCase *tests = fixture_case(suite, "networks", NULL);
    tcase_add_test(tests, models_tell_their_layers);
    tcase_add_test(tests, wrong_models_are_named);
    tcase_add_test(tests, as_many_names_as_classes);
    tcase_add_test(tests, wrong_trainings_are_named);
    tcase_add_test(tests, parameters_of_no_use_may_be_null);
    tcase_add_loop_test(tests, runs_tell_their_parameters, 0, KINDS);
    tcase_add_loop_test(tests, networks_learn, 0, KINDS);
    tcase_add_loop_test(tests, scores_pool_the_peaks, 0, KINDS);
    tcase_add_loop_test(tests, scores_are_an_array, 0, KINDS);
    tcase_add_loop_test(tests, contributions_add_up_to_the_peak, 0, KINDS);
    tcase_add_test(tests, silence_between_layers_decides_nothing);
    tcase_add_loop_test(tests, hidden_spikes_are_what_the_next_layer_gets, 0, KINDS);
    tcase_add_test(tests, hidden_spikes_of_one_layer_are_an_array);
    tcase_add_loop_test(tests, weights_make_the_round_trip, 0, KINDS);
    tcase_add_test(tests, an_array_replaces_one_layer);
    tcase_add_test(tests, weights_are_an_array_each);
    tcase_add_test(tests, wrong_weights_are_refused);
    tcase_add_loop_test(tests, a_restart_and_a_switch_keep_everything, 0, KINDS);
    tcase_add_loop_test(tests, a_seed_gives_the_same_bits_with_any_threads, 0, KINDS);
    tcase_add_loop_test(tests, a_run_survives_a_crash, 0, KINDS);
    tcase_add_test(tests, the_work_of_hidden_layers_is_limited);
    return suite_run(suite);
}
