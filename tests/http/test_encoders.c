/* The encoders over HTTP: their types, their ranges, what lies outside of them, and ranges that are
 * fitted to training data. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* Sends a text, and asserts the status. */
static struct http_answer send_text(long status, const char *path, const char *body)
{
    struct http_answer answer = http_send(&server, "POST", path, body, NULL);
    ck_assert_msg(answer.status == status, "%s %s: %ld %s", path, body, answer.status, answer.body);
    return answer;
}

/* A member of what is answered, as compact text. */
static void expect_member(const char *path, const char *body, const char *name,
                          const char *expected)
{
    struct http_answer answer =
        body != NULL ? send_text(200, path, body) : http_send(&server, "GET", path, NULL, NULL);
    char *text = json_dumps(json_object_get(answer.json, name),
                            JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    ck_assert_str_eq(text, expected);
    free(text);
    http_answer_finish(&answer);
}

static void expect_refusal(const char *path, const char *body, long status, const char *code,
                           const char *pointer)
{
    struct http_answer answer = send_text(status, path, body);
    expect_problem(&answer, status, code);
    ck_assert_msg(strcmp(problem_names(&answer), pointer) == 0, "%s: %s", body, answer.body);
    http_answer_finish(&answer);
}

/* --- encoding --- */

START_TEST(encode_knows_every_type)
{
    static const struct {
        const char *body, *spikes, *shape;
    } rows[] = {
        {"{\"type\": \"latency\", \"x_min\": [0, 0], \"x_max\": [255, 10], \"max_spike_time\": 16,"
         " \"x\": [[0, 5], [128, 10], [255, 0.5]]}",
         "[[[-1],[8]],[[7],[0]],[[0],[14]]]", "[3,2,1]"},
        {"{\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 4, \"x\": [[[0, 1, 4]]]}",
         "[[[[-1],[37],[0]]]]", "[1,1,3,1]"},
        {"{\"type\": \"latency\", \"scale\": \"log\", \"n\": 2, \"x_min\": 0, \"x_max\": 255,"
         " \"max_spike_time\": 16, \"x\": [[1, 2], [155, 0]]}",
         "[[[6],[5]],[[0],[-1]]]", "[2,2,1]"},
        {"{\"type\": \"latency\", \"scale\": \"linear\", \"n\": 2, \"x_min\": 0, \"x_max\": 255,"
         " \"max_spike_time\": 16, \"x\": [[1, 2], [155, 0]]}",
         "[[[15],[15]],[[6],[-1]]]", "[2,2,1]"},
        {"{\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": [1, 0.1], \"x_max\": [6.9, 2.5],"
         " \"x\": [[1.4, 0.2]]}",
         "[[[18,7,44,-1],[16,9,45,-1]]]", "[1,2,4]"},
        {"{\"m\": 3, \"n\": 2, \"x_min\": 0, \"x_max\": [1, 1], \"max_spike_time\": 100,"
         " \"x\": [[0, 0.5]]}",
         "[[[25,25,92],[68,0,68]]]", "[1,2,3]"},
        {"{\"m\": 3, \"n\": 2, \"x_min\": [0, 0], \"x_max\": 1, \"max_spike_time\": 100,"
         " \"x\": [[0, 0.5]]}",
         "[[[25,25,92],[68,0,68]]]", "[1,2,3]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        expect_member("/encode", rows[i].body, "out_spikes", rows[i].spikes);
        expect_member("/encode", rows[i].body, "shape", rows[i].shape);
    }
}
END_TEST

#define LATENCY                                                                                    \
    "\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 4, \"max_spike_time\": 5, "
#define TUNING "\"m\": 3, \"n\": 1, \"x_min\": 0, \"x_max\": 1, \"max_spike_time\": 100, "

START_TEST(values_outside_are_silent_or_clamped)
{
    static const struct {
        const char *body, *spikes;
    } rows[] = {
        {"{" LATENCY "\"x\": [[-1], [5]]}", "[[[-1]],[[-1]]]"},
        {"{" LATENCY "\"out_of_range\": \"silent\", \"x\": [[-1], [5]]}", "[[[-1]],[[-1]]]"},
        {"{" LATENCY "\"out_of_range\": \"clamp\", \"x\": [[-1], [5]]}", "[[[-1]],[[0]]]"},
        {"{" LATENCY "\"out_of_range\": \"reject\", \"x\": [[0], [4]]}", "[[[-1]],[[0]]]"},
        /* by the curves alone, as SpikingJelly has it */
        {"{" TUNING "\"x\": [[-0.5], [9]]}", "[[[0,68,99]],[[-1,-1,-1]]]"},
        {"{" TUNING "\"out_of_range\": \"silent\", \"x\": [[-0.5]]}", "[[[0,68,99]]]"},
        {"{" TUNING "\"out_of_range\": \"clamp\", \"x\": [[-0.5], [9]]}",
         "[[[25,25,92]],[[92,25,25]]]"},
        {"{" TUNING "\"out_of_range\": \"reject\", \"x\": [[0], [1]]}",
         "[[[25,25,92]],[[92,25,25]]]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_member("/encode", rows[i].body, "out_spikes", rows[i].spikes);
}
END_TEST

START_TEST(wrong_encoders_are_named)
{
    static const struct {
        const char *fields, *code, *pointer;
    } rows[] = {
        {"\"type\": \"morse\", \"m\": 3, \"x_min\": [0], \"x_max\": [1]", "unknown_value", "/type"},
        {"\"type\": \"latency\"", "missing_field", "/x_min /x_max"},
        {"\"type\": \"latency\", \"n\": 1", "missing_field", "/x_min /x_max"},
        {"\"type\": \"latency\", \"x_min\": [0]", "missing_field", "/x_max"},
        {"\"type\": \"latency\", \"x_min\": 0, \"x_max\": 1", "missing_field", "/n"},
        {"\"type\": \"latency\", \"x_min\": [0], \"x_max\": 1", "missing_field", "/n"},
        {"\"type\": \"latency\", \"n\": 0, \"x_min\": 0, \"x_max\": 1", "out_of_range", "/n"},
        {"\"type\": \"latency\", \"n\": 1000001, \"x_min\": 0, \"x_max\": 1", "out_of_range", "/n"},
        {"\"type\": \"latency\", \"n\": 1.5, \"x_min\": [0], \"x_max\": [1]", "wrong_type", "/n"},
        {"\"type\": \"latency\", \"n\": 2, \"x_min\": [0], \"x_max\": 1", "wrong_shape", "/x_min"},
        {"\"type\": \"latency\", \"n\": 2, \"x_min\": 0, \"x_max\": [1]", "wrong_shape", "/x_max"},
        {"\"type\": \"latency\", \"x_min\": [0], \"x_max\": [1, 2]", "wrong_shape", "/x_max"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 1, \"x_max\": 1", "empty_range", "/x_max"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 1, \"x_max\": [1]", "empty_range",
         "/x_max/0"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 2e15", "out_of_range",
         "/x_max"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": \"1\"", "wrong_type", "/x_max"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": [[1]]", "wrong_type",
         "/x_max/0"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 1, \"scale\": \"cubic\"",
         "unknown_value", "/scale"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 1, \"m\": 4", "unknown_field",
         "/m"},
        {"\"m\": 3, \"n\": 1, \"x_min\": 0, \"x_max\": 1, \"scale\": \"log\"", "unknown_field",
         "/scale"},
        {"\"m\": 3, \"n\": 1, \"x_min\": 0, \"x_max\": 1, \"out_of_range\": \"wrap\"",
         "unknown_value", "/out_of_range"},
        {"\"m\": 3, \"n\": 1, \"x_min\": 1e7, \"x_max\": 10000001", "out_of_range", "/x_max"},
        {"\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 1, \"max_spike_time\": 0",
         "out_of_range", "/max_spike_time"},
        {"\"type\": \"latency\", \"n\": 2, \"x_min\": 0, \"x_max\": 1", "wrong_shape", "/x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[256];
        snprintf(body, sizeof body, "{%s, \"x\": [[0.5]]}", rows[i].fields);
        expect_refusal("/encode", body, 422, rows[i].code, rows[i].pointer);
    }
}
END_TEST

/* Where the receptive fields of a Gaussian could not be told apart, a latency needs no more than
 * the range. */
START_TEST(a_latency_may_have_a_narrow_range)
{
    expect_member("/encode",
                  "{\"type\": \"latency\", \"n\": 1, \"x_min\": 1e7, \"x_max\": 10000001,"
                  " \"x\": [[10000000], [10000001]]}",
                  "out_spikes", "[[[-1]],[[0]]]");
}
END_TEST

START_TEST(an_array_is_encoded_by_parameters)
{
    const double numbers[] = {0, 128, 255, 300};
    struct bytes body = npy_of_numbers("<f4", "(2, 2)", numbers, 4);
    struct http_answer answer =
        http_send_bytes(&server, "POST",
                        "/encode?type=latency&n=2&x_min=0&x_max=255&max_spike_time=16&scale=linear"
                        "&out_of_range=clamp",
                        &body, "Content-Type: application/x-npy", NULL);
    char *spikes = json_dumps(json_object_get(answer.json, "out_spikes"), JSON_COMPACT);
    ck_assert_str_eq(spikes, "[[[-1],[7]],[[0],[0]]]");
    free(spikes);
    http_answer_finish(&answer);
    bytes_finish(&body);
}
END_TEST

/* --- models --- */

START_TEST(models_tell_their_encoders)
{
    static const struct {
        const char *given, *told;
    } rows[] = {
        {"\"type\": \"latency\", \"n\": 784, \"x_min\": 0, \"x_max\": 255",
         "{\"type\":\"latency\",\"scale\":\"linear\",\"n\":784,\"x_min\":0,\"x_max\":255,"
         "\"max_spike_time\":50,\"out_of_range\":\"silent\"}"},
        {"\"type\": \"latency\", \"scale\": \"log\", \"x_min\": [0, 1], \"x_max\": [2, 3],"
         " \"max_spike_time\": 16, \"out_of_range\": \"clamp\"",
         "{\"type\":\"latency\",\"scale\":\"log\",\"n\":2,\"x_min\":[0,1],\"x_max\":[2,3],"
         "\"max_spike_time\":16,\"out_of_range\":\"clamp\"}"},
        {"\"type\": \"gaussian_tuning\", \"m\": 4, \"n\": 2, \"x_min\": 0, \"x_max\": [2, 3],"
         " \"out_of_range\": \"reject\"",
         "{\"type\":\"gaussian_tuning\",\"m\":4,\"n\":2,\"x_min\":[0,0],\"x_max\":[2,3],"
         "\"max_spike_time\":50,\"out_of_range\":\"reject\"}"},
        {"\"type\": \"gaussian_tuning\", \"m\": 4, \"n\": 3",
         "{\"type\":\"gaussian_tuning\",\"m\":4,\"n\":3,\"max_spike_time\":50,"
         "\"out_of_range\":\"silent\"}"},
    };
    static const int afferents[] = {784, 2, 8, 12}, T[] = {50, 16, 50, 50};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char model[320], path[32];
        snprintf(model, sizeof model, "{\"id\": \"m%zu\", \"out_features\": 2, \"encoder\": {%s}}",
                 i, rows[i].given);
        snprintf(path, sizeof path, "/models/m%zu", i);
        create_model_of_text(&server, model);
        if (i == 2)
            service_restart(&server);
        expect_member(path, NULL, "encoder", rows[i].told);
        json_t *shown = http_get(&server, path);
        ck_assert_int_eq(member_integer(shown, "in_features"), afferents[i]);
        ck_assert_int_eq(member_integer(shown, "T"), T[i]);
        json_decref(shown);
    }
}
END_TEST

/* A model of one output for each feature, which that feature alone excites. */
static void create_sensitive(const char *id, const char *encoder)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"id\": \"%s\", \"out_features\": 2, \"T\": 40, \"tau\": 8, \"tau_s\": 2,"
             " \"weight\": [[1, 0], [0, 1]], \"encoder\": {%s}}",
             id, encoder);
    create_model_of_text(&server, text);
}

#define PIXELS                                                                                     \
    "\"type\": \"latency\", \"n\": 2, \"x_min\": 0, \"x_max\": 255, \"max_spike_time\": 16"

START_TEST(a_model_predicts_by_latencies)
{
    create_sensitive("pixels", PIXELS);
    expect_member("/models/pixels/encode", "{\"x\": [[0, 128], [255, 300]]}", "out_spikes",
                  "[[[-1],[7]],[[0],[-1]]]");
    /* Silence has no class; a lone spike's potential is highest 3.7 steps later, between two. */
    expect_member("/models/pixels/predict", "{\"x\": [[0, 0], [0, 128], [255, 0.5]]}", "label",
                  "[null,1,0]");
    expect_member("/models/pixels/predict",
                  "{\"x\": [[0, 0], [0, 128], [255, 0.5]], \"ret_type\": \"spikes\"}", "spikes",
                  "[[-1,-1],[-1,-1],[-1,-1]]");
    expect_member("/models/pixels/predict",
                  "{\"x\": [[0, 128.25], [255, 0]], \"ret_type\": \"v_max\", \"explain\": true}",
                  "v_max", "[[0,0.9973014],[0.9973014,0]]");
    struct http_answer answer =
        send_text(200, "/models/pixels/predict", "{\"x\": [[0, 9]], \"explain\": true}");
    const json_t *decision = json_array_get(json_object_get(answer.json, "explain"), 0);
    const json_t *why = json_array_get(json_object_get(decision, "contributions"), 0);
    ck_assert_int_eq(member_integer(why, "feature"), 1);
    ck_assert_int_eq(member_integer(why, "neuron"), 0);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_model_refuses_values_outside)
{
    create_sensitive("pixels", PIXELS ", \"out_of_range\": \"reject\"");
    static const struct {
        const char *path, *body, *pointer;
    } rows[] = {
        {"/models/pixels/predict", "{\"x\": [[0, 1], [2, 256]]}", "/x/1/1"},
        {"/models/pixels/predict", "{\"x\": [[-0.5, 1]]}", "/x/0/0"},
        {"/models/pixels/versions/1/predict", "{\"x\": [[0, 1], [2, 255.5]]}", "/x/1/1"},
        {"/models/pixels/encode", "{\"x\": [[0, 1], [2, 256]]}", "/x/1/1"},
        {"/models/pixels/encode", "{\"x\": [[[0, 1], [2, 256]]]}", "/x/0/1/1"},
        {"/models/pixels/evaluate", "{\"x\": [[0, 1], [-2, 25]], \"label\": [0, 1]}", "/x/1/0"},
        {"/models/pixels/train", "{\"x\": [[0, 1], [2, 256]], \"label\": [0, 1]}", "/x/1/1"},
        {"/models/pixels/train",
         "{\"x\": [[0, 1]], \"label\": [0], \"validation\": {\"x\": [[-1, 0]], \"label\": [0]}}",
         "/validation/x/0/0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refusal(rows[i].path, rows[i].body, 422, "out_of_range", rows[i].pointer);
    expect_member("/models/pixels/predict", "{\"x\": [[0, 255], [1, 0]]}", "label", "[1,0]");
    expect_member("/models/pixels/predict", "{\"in_spikes\": [[999, 3]]}", "label", "[1]");
}
END_TEST

/* Bytes too, for which there is a table where there are many features of one range. */
START_TEST(a_model_refuses_bytes_outside)
{
    const double numbers[] = {0, 200, 201, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    create_model_of_text(&server, "{\"id\": \"bytes\", \"out_features\": 2, \"encoder\": {\"type\":"
                                  " \"latency\", \"n\": 8, \"x_min\": 0, \"x_max\": 200,"
                                  " \"out_of_range\": \"reject\"}}");
    struct bytes body = npy_of_numbers("|u1", "(2, 8)", numbers, 16);
    struct http_answer answer = http_send_bytes(&server, "POST", "/models/bytes/predict", &body,
                                                "Content-Type: application/x-npy", NULL);
    expect_problem(&answer, 422, "out_of_range");
    ck_assert_str_eq(problem_names(&answer), "/x/0/2");
    http_answer_finish(&answer);
    bytes_finish(&body);
}
END_TEST

/* dataset_number(): the first that is above 200 is known to be there. */
START_TEST(a_model_refuses_a_dataset_outside)
{
    static const struct {
        const char *path, *body, *pointer;
    } rows[] = {
        {"/models/low/predict", "{\"dataset\": \"d\"}", "/dataset"},
        {"/models/low/evaluate", "{\"dataset\": \"d\"}", "/dataset"},
        {"/models/low/train", "{\"dataset\": \"d\"}", "/dataset"},
        {"/models/low/train",
         "{\"x\": [[0, 0, 0]], \"label\": [0], \"validation\": {\"dataset\": \"d\"}}",
         "/validation/dataset"},
    };
    put_both(&server, "d");
    create_model_of_text(&server, "{\"id\": \"low\", \"out_features\": 3, \"encoder\": {\"type\":"
                                  " \"latency\", \"n\": 3, \"x_min\": 0, \"x_max\": 200,"
                                  " \"out_of_range\": \"reject\"}}");
    size_t at = 0;
    while (dataset_number(at / DATASET_FEATURES, at % DATASET_FEATURES) <= 200)
        at++;
    char where[64];
    snprintf(where, sizeof where, "The feature %zu of the sample %zu,", at % DATASET_FEATURES,
             at / DATASET_FEATURES);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct http_answer answer = send_text(422, rows[i].path, rows[i].body);
        expect_problem(&answer, 422, "out_of_range");
        ck_assert_str_eq(problem_names(&answer), rows[i].pointer);
        ck_assert_ptr_nonnull(strstr(answer.body, where));
        http_answer_finish(&answer);
    }
}
END_TEST

/* --- fitting --- */

#define FLOWERS                                                                                    \
    "\"x\": [[1.4, 0.2], [1.5, 0.4], [4.7, 1.4], [4, 1.3], [6, 2.5], [5.1, 1.9]], "                \
    "\"label\": [0, 0, 1, 1, 2, 2]"
#define EPOCHS "\"epochs\": 5, \"batch_size\": 2, \"learning_rate\": 0.1, \"seed\": 3"

static void create_coded(const char *id, const char *encoder)
{
    char text[512];
    snprintf(text, sizeof text, "{\"id\": \"%s\", \"out_features\": 3, \"encoder\": {%s}}", id,
             encoder);
    create_model_of_text(&server, text);
}

static json_t *train(const char *model, const char *order)
{
    return run_succeed(&server, model, json_loads(order, 0, NULL));
}

static void expect_range(const char *model, const char *name, const char *expected)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s", model);
    json_t *shown = http_get(&server, path);
    char *text = json_dumps(json_object_get(json_object_get(shown, "encoder"), name),
                            JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(7));
    ck_assert_str_eq(text, expected);
    free(text);
    json_decref(shown);
}

static const char *const unfitted_codes[] = {
    "\"type\": \"gaussian_tuning\", \"m\": 6, \"n\": 2",
    "\"type\": \"latency\", \"n\": 2, \"max_spike_time\": 20, \"out_of_range\": \"clamp\"",
};
static const char *const ranged_codes[] = {
    "\"type\": \"gaussian_tuning\", \"m\": 6, \"x_min\": [1.4, 0.2], \"x_max\": [6, 2.5]",
    "\"type\": \"latency\", \"max_spike_time\": 20, \"out_of_range\": \"clamp\","
    " \"x_min\": [1.4, 0.2], \"x_max\": [6, 2.5]",
};

START_TEST(a_fit_gives_the_weights_of_the_ranges_it_finds)
{
    create_coded("fitted", unfitted_codes[_i]);
    create_coded("ranged", ranged_codes[_i]);
    json_t *run = train("fitted", "{" FLOWERS ", " EPOCHS ", \"fit\": true}");
    ck_assert(json_is_true(json_object_get(json_object_get(run, "params"), "fit")));
    json_decref(run);
    json_decref(train("ranged", "{" FLOWERS ", " EPOCHS "}"));
    expect_range("fitted", "x_min", "[1.4,0.2]");
    expect_range("fitted", "x_max", "[6,2.5]");
    expect_equal_weights(&server, "fitted", "ranged");
    json_t *one = http_post(&server, "/models/fitted/predict",
                            json_pack("{s:[[f,f],[f,f]]}", "x", 1.0, 0.3, 7.0, 2.0));
    json_t *other = http_post(&server, "/models/ranged/predict",
                              json_pack("{s:[[f,f],[f,f]]}", "x", 1.0, 0.3, 7.0, 2.0));
    ck_assert(json_equal(json_object_get(one, "v_max"), json_object_get(other, "v_max")));
    json_decref(other);
    json_decref(one);
}
END_TEST

/* The loop runs over the files' types. */
START_TEST(a_fit_takes_the_ranges_of_a_dataset)
{
    static const char *const types[] = {"|u1", "<f4", "<f8"};
    float x_min[DATASET_FEATURES], x_max[DATASET_FEATURES];
    for (size_t k = 0; k < DATASET_FEATURES; k++) {
        x_min[k] = x_max[k] = (float)dataset_number(0, k);
        for (size_t i = 0; i < DATASET_COUNT; i++) {
            const float x = (float)dataset_number(i, k);
            x_min[k] = x < x_min[k] ? x : x_min[k];
            x_max[k] = x > x_max[k] ? x : x_max[k];
        }
    }
    put_x(&server, "/datasets/d/x", types[_i]);
    put_label(&server, "/datasets/d/label", "|u1");
    create_coded("fitted", "\"type\": \"gaussian_tuning\", \"m\": 5, \"n\": 3");
    json_decref(train("fitted", "{\"dataset\": \"d\", \"epochs\": 2, \"fit\": true}"));
    char ranged[256];
    snprintf(ranged, sizeof ranged,
             "\"type\": \"gaussian_tuning\", \"m\": 5, \"x_min\": [%g, %g, %g], \"x_max\": [%g, %g,"
             " %g]",
             (double)x_min[0], (double)x_min[1], (double)x_min[2], (double)x_max[0],
             (double)x_max[1], (double)x_max[2]);
    create_coded("ranged", ranged);
    json_decref(train("ranged", "{\"dataset\": \"d\", \"epochs\": 2}"));
    expect_equal_weights(&server, "fitted", "ranged");
    json_t *fitted = http_get(&server, "/models/fitted"),
           *other = http_get(&server, "/models/ranged");
    ck_assert(json_equal(json_object_get(fitted, "encoder"), json_object_get(other, "encoder")));
    json_decref(other);
    json_decref(fitted);
}
END_TEST

/* Bytes of many features, which share few ranges, or have all their own. */
START_TEST(a_fit_of_bytes_works_with_and_without_a_table)
{
    enum { N = 64, COUNT = 6 };
    double numbers[COUNT * N], labels[COUNT];
    json_t *x = json_array(), *label = json_array();
    for (size_t b = 0; b < COUNT; b++) {
        json_t *row = json_array();
        for (size_t i = 0; i < N; i++) {
            const double dark = _i == 0 ? 0 : (double)i;
            numbers[b * N + i] = b == i % COUNT ? 200 : b % 2 == 0 ? 100 : dark;
            json_array_append_new(row, json_real(numbers[b * N + i]));
        }
        labels[b] = (double)(b % 3);
        json_array_append_new(label, json_integer((json_int_t)(b % 3)));
        json_array_append_new(x, row);
    }
    json_decref(
        put_file(&server, "/datasets/d/x", npy_of_numbers("|u1", "(6, 64)", numbers, COUNT * N)));
    json_decref(
        put_file(&server, "/datasets/d/label", npy_of_numbers("|u1", "(6,)", labels, COUNT)));
    create_coded("bytes", "\"type\": \"latency\", \"n\": 64, \"max_spike_time\": 20");
    create_coded("values", "\"type\": \"latency\", \"n\": 64, \"max_spike_time\": 20");
    json_decref(train("bytes", "{\"dataset\": \"d\", " EPOCHS ", \"fit\": true}"));
    json_decref(run_succeed(&server, "values",
                            json_pack("{s:o, s:o, s:i, s:i, s:f, s:i, s:b}", "x", x, "label", label,
                                      "epochs", 5, "batch_size", 2, "learning_rate", 0.1, "seed", 3,
                                      "fit", 1)));
    expect_equal_weights(&server, "bytes", "values");
    json_t *evaluation =
        http_post(&server, "/models/bytes/evaluate", json_pack("{s:s}", "dataset", "d"));
    ck_assert_int_eq(member_integer(evaluation, "count"), COUNT);
    json_decref(evaluation);
}
END_TEST

START_TEST(a_fit_does_not_look_at_the_validation)
{
    create_coded("given", unfitted_codes[_i]);
    json_decref(train("given", "{" FLOWERS ", " EPOCHS ", \"fit\": true, \"validation\":"
                               " {\"x\": [[-5, 9], [20, -3]], \"label\": [0, 1]}}"));
    expect_range("given", "x_min", "[1.4,0.2]");
    expect_range("given", "x_max", "[6,2.5]");
}
END_TEST

/* One of two samples is set aside: the range is that of the other alone. */
START_TEST(a_fit_looks_at_what_is_not_set_aside)
{
    static const char *const data[] = {"\"x\": [[8], [90]], \"label\": [0, 1]",
                                       "\"dataset\": \"d\""};
    const double numbers[] = {8, 90}, labels[] = {0, 1};
    char order[128];
    json_decref(put_file(&server, "/datasets/d/x", npy_of_numbers("|u1", "(2, 1)", numbers, 2)));
    json_decref(put_file(&server, "/datasets/d/label", npy_of_numbers("|u1", "(2,)", labels, 2)));
    create_coded("m", "\"type\": \"latency\", \"n\": 1, \"out_of_range\": \"reject\"");
    snprintf(order, sizeof order,
             "{%s, \"epochs\": 1, \"fit\": true, \"validation_fraction\": 0.5}", data[_i]);
    json_decref(train("m", order));
    json_t *shown = http_get(&server, "/models/m");
    const json_t *encoder = json_object_get(shown, "encoder");
    const double x_min = json_number_value(json_array_get(json_object_get(encoder, "x_min"), 0));
    const double x_max = json_number_value(json_array_get(json_object_get(encoder, "x_max"), 0));
    ck_assert(x_min == 8 || x_min == 90);
    ck_assert_double_eq(x_max, x_min == 8 ? 9 : 90 + 90.0 / 64); /* of a feature of one value */
    json_decref(shown);
}
END_TEST

START_TEST(a_feature_of_one_value_has_a_range)
{
    create_coded("constant", "\"type\": \"gaussian_tuning\", \"m\": 1024, \"n\": 4");
    json_decref(train("constant", "{\"x\": [[0, 5, -1e6, 1e15], [0, 5.00001, -1e6, 1e15]],"
                                  " \"label\": [0, 1], \"epochs\": 1, \"fit\": true}"));
    expect_range("constant", "x_min", "[0,5,-1000000,1e15]");
    expect_range("constant", "x_max", "[1,6,-984375,1.015625e15]");
}
END_TEST

START_TEST(a_range_beyond_all_bounds_fails_the_run)
{
    create_coded("wide", "\"type\": \"latency\", \"n\": 2");
    json_t *run = run_finish(
        &server, "wide",
        json_loads("{\"x\": [[0, -1e15], [1, 1e15]], \"label\": [0, 1], \"fit\": true}", 0, NULL));
    ck_assert_str_eq(member_string(run, "state"), "failed");
    const json_t *error = json_object_get(run, "error");
    ck_assert_str_eq(member_string(error, "code"), "out_of_range");
    ck_assert_ptr_nonnull(strstr(member_string(error, "detail"), "The feature 1"));
    json_decref(run);
}
END_TEST

START_TEST(an_encoder_without_ranges_is_not_used)
{
    static const struct {
        const char *path, *body;
    } rows[] = {
        {"/models/unfitted/predict", "{\"x\": [[1, 2]]}"},
        {"/models/unfitted/versions/1/predict", "{\"x\": [[1, 2]]}"},
        {"/models/unfitted/predict", "{\"dataset\": \"d\"}"},
        {"/models/unfitted/encode", "{\"x\": [[1, 2]]}"},
        {"/models/unfitted/evaluate", "{\"x\": [[1, 2]], \"label\": [0]}"},
        {"/models/unfitted/evaluate", "{\"dataset\": \"d\"}"},
        {"/models/unfitted/train", "{" FLOWERS "}"},
        {"/models/unfitted/train", "{" FLOWERS ", \"fit\": false}"},
        {"/models/unfitted/train", "{\"dataset\": \"d\"}"},
    };
    const double numbers[] = {1, 2, 3, 4}, labels[] = {0, 1};
    json_decref(put_file(&server, "/datasets/d/x", npy_of_numbers("|u1", "(2, 2)", numbers, 4)));
    json_decref(put_file(&server, "/datasets/d/label", npy_of_numbers("|u1", "(2,)", labels, 2)));
    create_coded("unfitted", unfitted_codes[_i]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_refusal(rows[i].path, rows[i].body, 409, "encoder_not_fitted", "");
    if (_i == 1) /* spikes go past the encoder */
        expect_member("/models/unfitted/predict", "{\"in_spikes\": [[1, 2]]}", "version", "1");
    json_decref(train("unfitted", "{\"dataset\": \"d\", \"epochs\": 1, \"fit\": true}"));
    expect_range("unfitted", "x_max", "[3,4]");
    expect_member("/models/unfitted/predict", "{\"x\": [[1, 2]]}", "version", "2");
}
END_TEST

START_TEST(a_fit_needs_an_encoder_and_values)
{
    create_plain_model(&server, "plain");
    create_coded("coded", ranged_codes[1]);
    expect_refusal("/models/plain/train",
                   "{\"in_spikes\": [[1, 2]], \"label\": [0], \"fit\": true}", 422,
                   "conflicting_fields", "/fit");
    expect_refusal("/models/coded/train",
                   "{\"in_spikes\": [[1, 2]], \"label\": [0], \"fit\": true}", 422,
                   "conflicting_fields", "/fit");
    expect_refusal("/models/coded/train",
                   "{\"in_spikes\": [[[1], [2, 3]]], \"label\": [0], \"fit\": true}", 422,
                   "conflicting_fields", "/fit");
    expect_refusal("/models/coded/train", "{" FLOWERS ", \"fit\": 1}", 422, "wrong_type", "/fit");
}
END_TEST

static void expect_ranges_of(const char *model, json_int_t version, const char *x_min,
                             const char *spikes)
{
    json_decref(
        http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:I}", "version", version)));
    expect_range(model, "x_min", x_min);
    expect_member("/models/m/encode", "{\"x\": [[2]]}", "out_spikes", spikes);
}

START_TEST(every_version_keeps_its_ranges)
{
    const char *order = "{\"x\": [[%d], [%d]], \"label\": [0, 1], \"epochs\": 1, \"fit\": true}";
    char text[128];
    create_coded("m", "\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 4,"
                      " \"max_spike_time\": 9");
    snprintf(text, sizeof text, order, 1, 3);
    json_decref(train("m", text)); /* version 2 */
    snprintf(text, sizeof text, order, -6, 10);
    json_decref(train("m", text)); /* version 3 */
    json_decref(train("m", "{\"x\": [[0], [1]], \"label\": [0, 1], \"epochs\": 1}")); /* 4 */
    json_t *weights = http_get(&server, "/models/m/weights");
    json_decref(http_call(&server, 200, "PUT", "/models/m/weights", weights)); /* 5 */
    for (int restarted = 0; restarted < 2; restarted++) {
        expect_ranges_of("m", 1, "0", "[[[4]]]");
        expect_ranges_of("m", 2, "[1]", "[[[4]]]");
        expect_ranges_of("m", 3, "[-6]", "[[[4]]]");
        expect_ranges_of("m", 4, "[-6]", "[[[4]]]");
        expect_ranges_of("m", 5, "[-6]", "[[[4]]]");
        json_t *list = http_get(&server, "/models");
        const json_t *listed = json_array_get(json_object_get(list, "models"), 0);
        const json_t *x_max = json_object_get(json_object_get(listed, "encoder"), "x_max");
        ck_assert_double_eq(json_number_value(json_array_get(x_max, 0)), 10);
        json_decref(list);
        service_restart(&server);
    }
    expect_ranges_of("m", 1, "0", "[[[4]]]");
    weights = http_get(&server, "/models/m/weights");
    json_decref(http_call(&server, 200, "PUT", "/models/m/weights", weights)); /* 6 */
    expect_range("m", "x_min", "0");
}
END_TEST

/* A run that others have to wait for, until it is cancelled. */
static json_int_t queue_endless(const char *model)
{
    json_t *spikes = json_array(), *label = json_array();
    for (int i = 0; i < 500; i++) {
        json_array_append_new(spikes, json_pack("[i]", i % 7));
        json_array_append_new(label, json_integer(i % 3));
    }
    return run_queue(&server, model,
                     json_pack("{s:o, s:o, s:i, s:i}", "in_spikes", spikes, "label", label,
                               "epochs", RUN_ENDLESS, "batch_size", 1));
}

/* Ends the endless run; the other then fails. */
static void expect_failure(json_int_t endless, json_int_t failing, const char *code)
{
    json_decref(run_cancel(&server, endless, 202));
    json_t *run = run_await(&server, failing, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(run, "error"), "code"), code);
    json_decref(run);
}

static const char late_order[] = "{\"x\": [[2], [8]], \"label\": [0, 1], \"epochs\": 1}";

/* It was checked against ranges that the run before it changes. */
START_TEST(a_run_that_waited_checks_the_ranges_it_finds)
{
    create_coded("m", "\"type\": \"latency\", \"n\": 1, \"x_min\": 0, \"x_max\": 9,"
                      " \"out_of_range\": \"reject\"");
    const json_int_t endless = queue_endless("m");
    run_queue(&server, "m",
              json_loads("{\"x\": [[1], [3]], \"label\": [0, 1], \"fit\": true, \"epochs\": 1}", 0,
                         NULL));
    const json_int_t late = run_queue(&server, "m", json_loads(late_order, 0, NULL));
    expect_failure(endless, late, "out_of_range");
    expect_range("m", "x_max", "[3]");
}
END_TEST

START_TEST(a_run_that_waited_may_find_no_ranges)
{
    create_coded("m", "\"type\": \"latency\", \"n\": 1");
    json_decref(train("m", "{\"x\": [[1], [3]], \"label\": [0, 1], \"fit\": true, \"epochs\": 1}"));
    const json_int_t endless = queue_endless("m");
    const json_int_t late = run_queue(&server, "m", json_loads(late_order, 0, NULL));
    json_decref(http_call(&server, 200, "PATCH", "/models/m", json_pack("{s:i}", "version", 1)));
    expect_failure(endless, late, "encoder_not_fitted");
}
END_TEST

/* Begun again after the end of the process, it comes to the same. */
START_TEST(a_fit_survives_a_crash)
{
    static const char order[] = "{\"dataset\": \"d\", \"epochs\": 400, \"batch_size\": 1,"
                                " \"learning_rate\": 0.01, \"fit\": true}";
    put_both(&server, "d");
    create_coded("whole", "\"type\": \"gaussian_tuning\", \"m\": 5, \"n\": 3");
    create_coded("killed", "\"type\": \"gaussian_tuning\", \"m\": 5, \"n\": 3");
    json_decref(train("whole", order));
    const json_int_t run = run_queue(&server, "killed", json_loads(order, 0, NULL));
    service_kill(&server);
    service_restart(&server);
    json_decref(run_await(&server, run, run_has_ended));
    expect_equal_weights(&server, "whole", "killed");
    json_t *whole = http_get(&server, "/models/whole"),
           *killed = http_get(&server, "/models/killed");
    ck_assert_ptr_nonnull(json_object_get(json_object_get(whole, "encoder"), "x_min"));
    ck_assert(json_equal(json_object_get(whole, "encoder"), json_object_get(killed, "encoder")));
    json_decref(killed);
    json_decref(whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("service_encoders");
    TCase *tests = fixture_case(suite, "encoders", NULL);
    tcase_add_test(tests, encode_knows_every_type);
    tcase_add_test(tests, values_outside_are_silent_or_clamped);
    tcase_add_test(tests, wrong_encoders_are_named);
    tcase_add_test(tests, a_latency_may_have_a_narrow_range);
    tcase_add_test(tests, an_array_is_encoded_by_parameters);
    tcase_add_test(tests, models_tell_their_encoders);
    tcase_add_test(tests, a_model_predicts_by_latencies);
    tcase_add_test(tests, a_model_refuses_values_outside);
    tcase_add_test(tests, a_model_refuses_bytes_outside);
    tcase_add_test(tests, a_model_refuses_a_dataset_outside);
    tcase_add_loop_test(tests, a_fit_gives_the_weights_of_the_ranges_it_finds, 0, 2);
    tcase_add_loop_test(tests, a_fit_takes_the_ranges_of_a_dataset, 0, 3);
    tcase_add_loop_test(tests, a_fit_of_bytes_works_with_and_without_a_table, 0, 2);
    tcase_add_loop_test(tests, a_fit_does_not_look_at_the_validation, 0, 2);
    tcase_add_loop_test(tests, a_fit_looks_at_what_is_not_set_aside, 0, 2);
    tcase_add_test(tests, a_feature_of_one_value_has_a_range);
    tcase_add_test(tests, a_range_beyond_all_bounds_fails_the_run);
    tcase_add_loop_test(tests, an_encoder_without_ranges_is_not_used, 0, 2);
    tcase_add_test(tests, a_fit_needs_an_encoder_and_values);
    tcase_add_test(tests, every_version_keeps_its_ranges);
    tcase_add_test(tests, a_run_that_waited_checks_the_ranges_it_finds);
    tcase_add_test(tests, a_run_that_waited_may_find_no_ranges);
    tcase_add_test(tests, a_fit_survives_a_crash);
    return suite_run(suite);
}
