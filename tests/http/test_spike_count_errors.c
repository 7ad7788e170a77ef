/* What may be wrong with models and requests of spike counts, and what would take too long. */
#include <check.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/suite.h"

/* --- what is wrong --- */

static const struct {
    const char *path;
    const char *body;
    const char *code;
    const char *pointers;
} wrongs[] = {
#define SHAPE    "\"in_features\": 4, \"out_features\": 2, \"T\": 50"
#define COUNTING SHAPE ", \"read_out\": \"spike_count\""
    {"/models", "{" SHAPE ", \"read_out\": \"counts\"}", "unknown_value", "/read_out"},
    {"/models", "{" SHAPE ", \"max_spikes\": 9}", "conflicting_fields", "/max_spikes"},
    {"/models", "{" COUNTING ", \"max_spikes\": 1}", "out_of_range", "/max_spikes"},
    {"/models", "{" COUNTING ", \"max_spikes\": 1001}", "out_of_range", "/max_spikes"},
    {"/models",
     "{\"in_features\": 1, \"out_features\": 60000, \"T\": 50, \"read_out\": \"spike_count\"}",
     "too_large", "/max_spikes"},
    {"/models", "{" COUNTING ", \"clock\": \"grid\", \"hidden\": [3], \"neurons_per_class\": 2}",
     "conflicting_fields", "/neurons_per_class /clock /hidden"},
    {"/models", "{" COUNTING ", \"score_beta\": 2}", "conflicting_fields", "/score_beta"},

#define SPIKES_JSON "\"in_spikes\": [[1, 2, 3, 4]]"
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": \"label\"}", "unknown_value",
     "/ret_type"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": [\"count\", \"v_max\"]}",
     "unknown_value", "/ret_type/1"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": [\"score\"]}", "unknown_value",
     "/ret_type/0"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": \"spikes\"}", "unknown_value",
     "/ret_type"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": []}", "wrong_shape", "/ret_type"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"k_max\": 3}", "conflicting_fields", "/k_max"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"ret_type\": \"thresholds\", \"k_max\": 101}",
     "out_of_range", "/k_max"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"explain\": false}", "conflicting_fields",
     "/explain"},
    {"/models/counts/predict", "{" SPIKES_JSON ", \"count\": [[1, 2]]}", "unknown_field", "/count"},
    {"/models/peaks/predict", "{" SPIKES_JSON ", \"ret_type\": \"count\", \"k_max\": 2}",
     "unknown_value", "/ret_type /k_max"},

    {"/models/counts/evaluate", "{" SPIKES_JSON "}", "missing_field", "/count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"label\": [1]}", "conflicting_fields",
     "/label /count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [1, 2]}", "wrong_type", "/count/0"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2, 3]]}", "wrong_shape",
     "/count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2], [3, 4]]}", "wrong_shape",
     "/count"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2], [3]]}", "ragged_array",
     "/count/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1.5, -1]]}", "wrong_type",
     "/count/0/0 /count/0/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[99, 100]]}", "out_of_range",
     "/count/0/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": [[1, \"two\"]]}", "wrong_type",
     "/count/0/1"},
    {"/models/counts/evaluate", "{" SPIKES_JSON ", \"count\": []}", "empty_batch", "/count"},
    {"/models/counts/evaluate",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"loss\": \"mse\", \"beta\": 5, \"margin_target\": 1,"
     " \"margin_other\": 0}",
     "conflicting_fields", "/loss /beta /margin_target /margin_other"},
    {"/models/counts/evaluate", "{\"dataset\": \"none\", " SPIKES_JSON ", \"count\": [[1, 2]]}",
     "conflicting_fields", "/in_spikes /dataset"},
    {"/models/peaks/evaluate", "{" SPIKES_JSON ", \"count\": [[1, 2]]}", "conflicting_fields",
     "/count /label"},

    {"/models/counts/train",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"loss\": \"mse\", \"beta\": 5, \"margin_target\": 1, "
     "\"margin_other\": 0, \"input_dropout\": 0.1, \"dropout\": 0.1, \"silence_cost\": 0, "
     "\"max_grad_norm\": 1, \"augment\": {\"shift\": 1, \"height\": 2, \"width\": 2}}",
     "conflicting_fields",
     "/loss /beta /margin_target /margin_other /input_dropout /dropout /silence_cost "
     "/max_grad_norm /augment"},
    {"/models/counts/train", "{" SPIKES_JSON ", \"count\": [[1, 2]], \"patience\": 3}",
     "conflicting_fields", "/patience"},
    {"/models/counts/train", "{" SPIKES_JSON ", \"count\": [[1, 100]], \"epochs\": 0}",
     "out_of_range", "/count/0/1 /epochs"},
    {"/models/counts/train",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"validation\": {" SPIKES_JSON ", \"label\": [0]}}",
     "conflicting_fields", "/validation/label /validation/count"},
    {"/models/counts/train",
     "{" SPIKES_JSON ", \"count\": [[1, 2]], \"validation\": {\"dataset\": \"none\"}}",
     "conflicting_fields", "/validation/dataset"},
    {"/models/counts/train", "{" SPIKES_JSON ", \"count\": [[1, 2]], \"fit\": true}",
     "conflicting_fields", "/fit"},
    {"/models/peaks/train", "{" SPIKES_JSON ", \"label\": [0], \"count\": [[1, 2]]}",
     "conflicting_fields", "/count"},
};

START_TEST(every_wrong_field_is_named)
{
    create_model_of_text(&server, "{\"id\": \"counts\", " COUNTING "}");
    create_model_of_text(&server, "{\"id\": \"peaks\", " SHAPE "}");
    for (int i = 0; i < ROWS(wrongs); i++) {
        struct http_answer answer =
            http_send(&server, "POST", wrongs[i].path, wrongs[i].body, NULL);
        expect_problem(&answer, 422, wrongs[i].code);
        ck_assert_msg(strcmp(problem_names(&answer), wrongs[i].pointers) == 0, "%s: %s are named",
                      wrongs[i].body, problem_names(&answer));
        http_answer_finish(&answer);
    }
}
END_TEST

/* --- what is too much --- */

START_TEST(work_beyond_the_limit_is_refused)
{
    create_model_of_text(&server, "{\"id\": \"wide\", \"in_features\": 1, \"out_features\": 4000, "
                                  "\"T\": 4000, \"read_out\": \"spike_count\", \"max_spikes\": "
                                  "1000}");
    static const struct {
        const char *more;
        size_t samples;
        const char *pointer;
    } heavy[] = {
        {", \"ret_type\": \"thresholds\", \"k_max\": 1000", 1, "/k_max"},
        {", \"ret_type\": \"v\"", 1, "/ret_type"},
        {", \"ret_type\": \"spike_times\"", 2, "/ret_type"},
        {"", 6, "/in_spikes"},
    };
    for (int i = 0; i < ROWS(heavy); i++) {
        char body[256] = "{\"in_spikes\": [[0]";
        for (size_t b = 1; b < heavy[i].samples; b++)
            strcat(body, ", [0]");
        strcat(body, "]");
        strcat(body, heavy[i].more);
        strcat(body, "}");
        struct http_answer answer = http_send(&server, "POST", "/models/wide/predict", body, NULL);
        expect_problem(&answer, 422, "too_large");
        ck_assert_str_eq(problem_names(&answer), heavy[i].pointer);
        http_answer_finish(&answer);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_count_errors");
    TCase *tests = fixture_case(suite, "counts", NULL);
    tcase_add_test(tests, every_wrong_field_is_named);
    tcase_add_test(tests, work_beyond_the_limit_is_refused);
    return suite_run(suite);
}
