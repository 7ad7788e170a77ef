/* What may be wrong with samples and with the parameters of a run: each by its exact status, code
 * and pointers. */
#include <check.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/refusals.h"
#include "tests/support/suite.h"

/* --- samples and runs --- */

static const struct refusal wrong_samples[] = {
    {"POST", PREDICT, "{}", 422, "missing_field", "/in_spikes"},
    {"POST", PREDICT, "{\"x\": [[1, 2]]}", 422, "conflicting_fields", "/x"},
    {"POST", PREDICT, "{\"in_spikes\": []}", 422, "empty_batch", "/in_spikes"},
    {"POST", PREDICT, "{\"in_spikes\": [[1]]}", 422, "wrong_shape", "/in_spikes"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2], [1]]}", 422, "ragged_array", "/in_spikes/1"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 1e39]]}", 422, "not_finite", "/in_spikes/0/1"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": 1}", 422, "wrong_type", "/ret_type"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": \"volts\"}", 422, "unknown_value",
     "/ret_type"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": [\"v\", \"volts\"]}", 422,
     "unknown_value", "/ret_type/1"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_type\": []}", 422, "wrong_shape",
     "/ret_type"},
    {"POST", PREDICT, "{\"in_spikes\": [[1, 2]], \"ret_typ\": \"v\"}", 422, "unknown_field",
     "/ret_typ"},
    {"POST", "/models/plain/versions/1/predict", "{}", 422, "missing_field", "/in_spikes"},
    {"POST", "/models/long/predict", "{\"in_spikes\": [[1], [2]], \"ret_type\": \"v\"}", 422,
     "too_large", "/in_spikes"},
    {"POST", "/models/named/predict", "{\"x\": [[1]], \"in_spikes\": [[1, 2, 3, 4]]}", 422,
     "conflicting_fields", "/in_spikes"},
    {"POST", "/models/named/encode", "{}", 422, "missing_field", "/x"},
    {"POST", "/models/named/encode", "{\"x\": [[1]], \"m\": 5}", 422, "unknown_field", "/m"},
    {"POST", "/models/plain/encode", "{\"x\": [[1]]}", 422, "conflicting_fields", NULL},

    {"POST", "/models/plain/evaluate", "{\"in_spikes\": [[1, 2]]}", 422, "missing_field", "/label"},
    {"POST", "/models/plain/evaluate", "{\"in_spikes\": [[1, 2]], \"label\": [2]}", 422,
     "label_out_of_range", "/label/0"},

    {"POST", TRAIN, "{\"x\": [[1]]}", 422, "missing_field", "/label"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": 0}", 422, "wrong_type", "/label"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [0.5]}", 422, "wrong_type", "/label/0"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [0, 1]}", 422, "wrong_shape", "/label"},
    {"POST", TRAIN, "{\"x\": [[1], [2]], \"label\": [0, 2]}", 422, "label_out_of_range",
     "/label/1"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [-1]}", 422, "label_out_of_range", "/label/0"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [\"middle\"]}", 422, "unknown_label", "/label/0"},
    {"POST", TRAIN, "{\"x\": [[1], [2], [3]], \"label\": [\"low\", 1, 2]}", 422,
     "label_out_of_range", "/label/2"},
    {"POST", TRAIN, "{\"x\": [[1], [2]], \"label\": [\"low\", true]}", 422, "wrong_type",
     "/label/1"},
    {"POST", "/models/plain/train", "{\"in_spikes\": [[1, 2]], \"label\": [\"low\"]}", 422,
     "unknown_label", "/label/0"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"epochs\": 0}", 422, "out_of_range", "/epochs"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"margin_target\": 2}", 422, "conflicting_fields",
     "/margin_target"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"loss\": \"margin\", \"margin_other\": 1.5}", 422,
     "conflicting_fields", "/margin_other"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"learning_rate_schedule\": \"step\"}", 422,
     "unknown_value", "/learning_rate_schedule"},
    {"POST", TRAIN,
     "{" NAMED_SAMPLES ", \"learning_rate_schedule\": \"cosine\", \"learning_rate_decay\": 0.5}",
     422, "conflicting_fields", "/learning_rate_decay"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"weight_decay\": -1}", 422, "out_of_range",
     "/weight_decay"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2, -3]]]}", 422, "out_of_range",
     "/in_spikes/0/1/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2, \"a\"]]]}", 422, "wrong_type",
     "/in_spikes/0/1/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2, [3]]]]}", 422, "wrong_type",
     "/in_spikes/0/1/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2]], [true, [1]]]}", 422, "wrong_type",
     "/in_spikes/1/0"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2]], [1]]}", 422, "wrong_shape",
     "/in_spikes/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [2]], 1]}", 422, "wrong_type",
     "/in_spikes/1"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, [1e39]]]}", 422, "not_finite",
     "/in_spikes/0/1/0"},
    {"POST", "/models/plain/predict", "{\"in_spikes\": [[1, 2]], \"explain\": 1}", 422,
     "wrong_type", "/explain"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"epochs\": 100001}", 422, "out_of_range", "/epochs"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"batch_size\": 0}", 422, "out_of_range", "/batch_size"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"learning_rate\": 0}", 422, "out_of_range",
     "/learning_rate"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"learning_rate_decay\": 2}", 422, "out_of_range",
     "/learning_rate_decay"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"momentum\": -1}", 422, "out_of_range", "/momentum"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"optimizer\": \"rms\"}", 422, "unknown_value",
     "/optimizer"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"loss\": \"hinge\"}", 422, "unknown_value", "/loss"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"shuffle\": \"yes\"}", 422, "wrong_type", "/shuffle"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"beta\": 5}", 422, "conflicting_fields", "/beta"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"optimizer\": \"adam\", \"momentum\": 0.9}", 422,
     "conflicting_fields", "/momentum"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"patience\": 3}", 422, "conflicting_fields", "/patience"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"validation_fraction\": 1}", 422, "out_of_range",
     "/validation_fraction"},
    {"POST", TRAIN, "{\"x\": [[1]], \"label\": [0], \"validation_fraction\": 0.5}", 422,
     "out_of_range", "/validation_fraction"},
    {"POST", TRAIN,
     "{" NAMED_SAMPLES ", \"validation_fraction\": 0.5, \"validation\": {" NAMED_SAMPLES "}}", 422,
     "conflicting_fields", "/validation_fraction"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"validation\": {\"x\": [[1]], \"label\": [2]}}", 422,
     "label_out_of_range", "/validation/label/0"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"validation\": {\"x\": [[1, 2]], \"label\": [0]}}", 422,
     "wrong_shape", "/validation/x"},
    {"POST", TRAIN, "{" NAMED_SAMPLES ", \"epoch\": 5}", 422, "unknown_field", "/epoch"},
    {"POST", "/runs/1/cancel", NULL, 409, "run_ended", NULL},
};

START_TEST(wrong_samples_and_parameters_are_refused_by_field)
{
    expect_refusal_row(&wrong_samples[_i]);
}
END_TEST

/* 100000 steps for each of 4000 samples are more than one prediction may take. */
START_TEST(batches_beyond_the_limit_are_refused)
{
    char body[32768] = "{\"in_spikes\": [[1]";
    for (int i = 1; i < 4000; i++)
        strcat(body, ",[1]");
    strcat(body, "]}");
    const struct refusal row = {"POST",      "/models/long/predict", body, 422, "too_large",
                                "/in_spikes"};
    expect_refusal_row(&row);
}
END_TEST

/* --- headers --- */

static const struct {
    const char *path;
    const char *body;
    const char *names;
} several[] = {
    {"/models/named/train", "{\"x\": [[\"a\"]], \"label\": \"zzz\", \"epochs\": 0}",
     "/x/0/0 /label /epochs"},
    {"/models/named/train", "{" NAMED_SAMPLES ", \"epochs\": 0, \"patience\": 3}",
     "/epochs /patience"},
    {"/models/named/train",
     "{" NAMED_SAMPLES ", \"epochs\": 0, \"validation\": {" NAMED_SAMPLES
     "}, \"validation_fraction\": 0.2}",
     "/epochs /validation_fraction"},
    {"/models/named/train",
     "{\"x\": [[1, 2]], \"label\": [9], \"validation\": {\"x\": [[0.1]], \"label\": [\"q\"]}}",
     "/x /label/0 /validation/label/0"},
    {"/models",
     "{\"in_features\": 1, \"T\": 9, \"out_features\": 2, \"labels\": [\"a\"], \"spikes_most\": 5}",
     "/spikes_most /labels"},
    {"/models",
     "{\"in_features\": 1, \"T\": 9, \"out_features\": 1, \"score_beta\": 2, \"hidden_spike\": "
     "\"peak\", "
     "\"tau\": 0, \"max_spikes\": 9}",
     "/score_beta /hidden_spike /tau /max_spikes"},
    {"/models/named/train",
     "{" NAMED_SAMPLES ", \"learning_rate_schedule\": \"cosine\", \"learning_rate_decay\": 0.5, "
     "\"optimizer\": \"adam\", \"momentum\": 0.9, \"beta\": 5, \"dropout\": 0, \"slope_floor\": 1}",
     "/learning_rate_decay /momentum /beta /dropout /slope_floor"},
};

START_TEST(wrong_fields_are_named_whatever_else_is_wrong)
{
    struct http_answer answer = ask(422, "POST", several[_i].path, several[_i].body);
    ck_assert_str_eq(problem_names(&answer), several[_i].names);
    http_answer_finish(&answer);
}
END_TEST

START_TEST(details_that_quote_long_names_are_valid_utf8)
{
    char body[1024] = "{\"x\": [[0.1]], \"label\": [\"a";
    for (int i = 0; i < 200; i++)
        strcat(body, "\xc3\xa9");
    strcat(body, "\"]}");
    struct http_answer answer = http_send(&server, "POST", "/models/named/train", body, NULL);
    expect_problem(&answer, 422, "unknown_label");
    ck_assert_str_eq(problem_names(&answer), "/label/0"); /* jansson reads UTF-8 alone */
    http_answer_finish(&answer);
}
END_TEST

START_TEST(evaluations_and_predictions_beyond_the_limit_of_work_are_refused)
{
    enum { SAMPLES = 5000 };
    const char *paths[] = {"/models/long/evaluate", "/models/long/predict"};
    char body[SAMPLES * 8 + 64] = "{\"in_spikes\": [[0]";
    for (int i = 1; i < SAMPLES; i++)
        strcat(body, ",[0]");
    strcat(body, "]");
    for (int i = 0; _i == 0 && i < SAMPLES; i++)
        strcat(body, i == 0 ? ", \"label\": [0" : ",0");
    strcat(body, _i == 0 ? "]}" : "}");
    struct http_answer answer = http_send(&server, "POST", paths[_i], body, NULL);
    expect_problem(&answer, 422, "too_large");
    ck_assert_str_eq(problem_names(&answer), "/in_spikes");
    http_answer_finish(&answer);
}
END_TEST

/* 300 spikes for 65536 outputs: more numbers than a run may keep of one sample. */
START_TEST(a_sample_of_too_many_spikes_is_refused)
{
    char body[2048] = "{\"label\": [0], \"in_spikes\": [[[0";
    create_model_of_text(
        &server, "{\"id\": \"broad\", \"in_features\": 1, \"out_features\": 65536, \"T\": 100, "
                 "\"clock\": \"continuous\"}");
    for (int i = 1; i < 300; i++)
        strcat(body, ",1");
    strcat(body, "]]]}");
    struct http_answer answer = http_send(&server, "POST", "/models/broad/train", body, NULL);
    expect_problem(&answer, 422, "too_large");
    ck_assert_str_eq(problem_names(&answer), "/in_spikes/0");
    http_answer_finish(&answer);
}
END_TEST

/* It has as many numbers as the square of the classes. */
START_TEST(a_confusion_matrix_of_too_many_classes_is_refused)
{
    static const char evaluation[] = "{\"in_spikes\": [[0]], \"label\": [0]}";
    create_model_of_text(
        &server, "{\"id\": \"most\", \"in_features\": 1, \"out_features\": 1024, \"T\": 10}");
    create_model_of_text(
        &server, "{\"id\": \"more\", \"in_features\": 1, \"out_features\": 1025, \"T\": 10}");
    json_t *answer = ask_json("/models/most/evaluate", evaluation);
    expect_shape(json_object_get(answer, "confusion"), 1024, 1024);
    json_decref(answer);
    expect_refused("POST", "/models/more/evaluate", evaluation, 422, "too_large", NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sample_errors");
    TCase *tests = fixture_shared_case(suite, "errors", refusals_start);
    tcase_add_loop_test(tests, wrong_samples_and_parameters_are_refused_by_field, 0,
                        ROWS(wrong_samples));
    tcase_add_test(tests, batches_beyond_the_limit_are_refused);
    tcase_add_loop_test(tests, wrong_fields_are_named_whatever_else_is_wrong, 0, ROWS(several));
    tcase_add_test(tests, details_that_quote_long_names_are_valid_utf8);
    tcase_add_loop_test(tests, evaluations_and_predictions_beyond_the_limit_of_work_are_refused, 0,
                        2);
    tcase_add_test(tests, a_sample_of_too_many_spikes_is_refused);
    tcase_add_test(tests, a_confusion_matrix_of_too_many_classes_is_refused);
    return suite_run(suite);
}
