/* The encoders over HTTP: their types, their ranges, and what lies outside of them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/arrays.h"
#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/golden.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

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
        expect_refused("POST", "/encode", body, 422, rows[i].code, rows[i].pointer);
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
        ask(200, "POST", "/models/pixels/predict", "{\"x\": [[0, 9]], \"explain\": true}");
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
        expect_refused("POST", rows[i].path, rows[i].body, 422, "out_of_range", rows[i].pointer);
    expect_member("/models/pixels/predict", "{\"x\": [[0, 255], [1, 0]]}", "label", "[1,0]");
    expect_member("/models/pixels/predict", "{\"in_spikes\": [[999, 3]]}", "label", "[1]");
}
END_TEST

/* Bytes too, for which there is a table if there are many features of one range. */
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
        struct http_answer answer = ask(422, "POST", rows[i].path, rows[i].body);
        expect_problem(&answer, 422, "out_of_range");
        ck_assert_str_eq(problem_names(&answer), rows[i].pointer);
        ck_assert_ptr_nonnull(strstr(answer.body, where));
        http_answer_finish(&answer);
    }
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
    return suite_run(suite);
}
