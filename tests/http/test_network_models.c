/* Models of networks over HTTP: hidden layers, several neurons a class, and the limits of their
 * work. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/networks.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- models --- */

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
        char model[NETWORK_TEXT];
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

static const struct {
    const char *fields, *code, *pointer;
} wrong_models[] = {
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
    {"\"hidden\": [3], \"hidden_spike\": \"peak\", \"clock\": \"continuous\"", "conflicting_fields",
     "/hidden_spike"},
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
    {"\"hidden\": [1], \"hidden_0\": [[1], [2], [3], [4]], \"weight\": [[1], [2]]", "wrong_shape",
     "/hidden_0"},
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

START_TEST(wrong_models_are_named)
{
    for (size_t i = 0; i < sizeof wrong_models / sizeof *wrong_models; i++) {
        char body[NETWORK_TEXT], of_all[NETWORK_TEXT] = "";
        if (strstr(wrong_models[i].fields, "\"in_features\"") == NULL)
            strcat(of_all, ", \"in_features\": 4");
        if (strstr(wrong_models[i].fields, "\"T\"") == NULL)
            strcat(of_all, ", \"T\": 20");
        snprintf(body, sizeof body, "{\"out_features\": 2, %s%s}", wrong_models[i].fields, of_all);
        expect_refused("POST", "/models", body, 422, wrong_models[i].code, wrong_models[i].pointer);
    }
}
END_TEST

START_TEST(as_many_names_as_classes)
{
    create_model_of_text(&server, "{\"id\": \"m\", " FOUR_TO_TWO ", \"neurons_per_class\": 3,"
                                  " \"labels\": [\"no\", \"yes\"], \"weight\": [[0, 0, 0, 0],"
                                  " [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0],"
                                  " [1, 0, 0, 0]]}");
    json_t *answer = ask_json("/models/m/predict", "{\"in_spikes\": [[1, 1, 1, 1]]}");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(answer, "label"), 0)), "yes");
    json_decref(answer);
    expect_refused("PATCH", "/models/m", "{\"labels\": [\"a\", \"b\", \"c\", \"d\", \"e\", \"f\"]}",
                   422, "wrong_shape", "/labels");
    expect_refused("POST", "/models/m/evaluate", "{\"in_spikes\": [[1, 1, 1, 1]], \"label\": [2]}",
                   422, "label_out_of_range", "/label/0");
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
    Suite *suite = suite_create("network_models");
    TCase *tests = fixture_case(suite, "networks", NULL);
    tcase_add_test(tests, models_tell_their_layers);
    tcase_add_test(tests, wrong_models_are_named);
    tcase_add_test(tests, as_many_names_as_classes);
    tcase_add_test(tests, the_work_of_hidden_layers_is_limited);
    return suite_run(suite);
}
