/* Bodies that are not JSON, and what may be wrong with the requests of the functions: each by its
 * exact status, code and pointers. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/fixture.h"
#include "tests/support/refusals.h"
#include "tests/support/suite.h"

static const struct refusal unreadable[] = {
    {"POST", "/psp_kernel", "", 400, "truncated_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1", 400, "truncated_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": \"1", 400, "truncated_json", NULL},
    {"POST", "/psp_kernel", "t=1", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{'t': [1]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1]} {}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1,]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [NaN]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [Infinity]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\": [-Infinity]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"t\\u0000\": [1]}", 400, "invalid_json", NULL},
    {"POST", "/psp_kernel", "{\"\xff\": [1]}", 400, "invalid_utf8", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1e999]}", 400, "number_out_of_range", NULL},
    {"POST", "/psp_kernel", "{\"t\": [-1e999]}", 400, "number_out_of_range", NULL},
    {"POST", "/psp_kernel", "{\"t\": [1], \"t\": [2]}", 400, "duplicate_key", NULL},
    {"POST", "/models", "{\"encoder\": {\"m\": 3, \"m\": 4}}", 400, "duplicate_key", NULL},
};

START_TEST(bodies_that_are_not_json_are_refused)
{
    expect_refusal_row(&unreadable[_i]);
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
    char body[20001] = "";
    memset(body, '[', sizeof body - 1);
    const struct refusal row = {"POST", "/psp_kernel", body, 400, "nesting_too_deep", NULL};
    expect_refusal_row(&row);
}
END_TEST

static const struct refusal wrong_functions[] = {
    {"POST", "/psp_kernel", "[]", 422, "wrong_type", ""},
    {"POST", "/psp_kernel", "{}", 422, "missing_field", "/t"},
    {"POST", "/psp_kernel", "{\"t\": null}", 422, "missing_field", "/t"},
    {"POST", "/psp_kernel", "{\"t\": 1}", 422, "wrong_type", "/t"},
    {"POST", "/psp_kernel", "{\"t\": []}", 422, "empty_batch", "/t"},
    {"POST", "/psp_kernel", "{\"t\": [1, \"2\"]}", 422, "wrong_type", "/t/1"},
    {"POST", "/psp_kernel", "{\"t\": [1, null]}", 422, "wrong_type", "/t/1"},
    {"POST", "/psp_kernel", "{\"t\": [[1]]}", 422, "wrong_type", "/t/0"},
    {"POST", "/psp_kernel", "{\"t\": [1, 1e39]}", 422, "not_finite", "/t/1"},
    {"POST", "/psp_kernel", "{\"t\": [-1e39]}", 422, "not_finite", "/t/0"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau\": \"15\"}", 422, "wrong_type", "/tau"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau\": 0}", 422, "out_of_range", "/tau"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau_s\": -1}", 422, "out_of_range", "/tau_s"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"tau_s\": 15}", 422, "equal_time_constants", "/tau_s"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"Tau\": 5}", 422, "unknown_field", "/Tau"},
    {"POST", "/psp_kernel", "{\"t\": [1], \"a/b~\": 5}", 422, "unknown_field", "/a~1b~0"},

    {"POST", "/encode", "{" TUNING "}", 422, "missing_field", "/x"},
    {"POST", "/encode", "{" TUNING ", \"x\": []}", 422, "empty_batch", "/x"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[]]}", 422, "wrong_shape", "/x/0"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[1], [1, 2]]}", 422, "ragged_array", "/x/1"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[[1, 2]], [[1]]]}", 422, "ragged_array", "/x/1/0"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[1], 2]}", 422, "wrong_type", "/x/1"},
    {"POST", "/encode", "{" TUNING ", \"x\": [1]}", 422, "wrong_type", "/x/0"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[1, 2]]}", 422, "wrong_shape", "/x"},
    {"POST", "/encode", "{\"m\": 2, \"x_min\": [0], \"x_max\": [1], \"x\": [[0]]}", 422,
     "out_of_range", "/m"},
    {"POST", "/encode", "{\"m\": 1025, \"x_min\": [0], \"x_max\": [1], \"x\": [[0]]}", 422,
     "out_of_range", "/m"},
    {"POST", "/encode", "{\"m\": 3.5, \"x_min\": [0], \"x_max\": [1], \"x\": [[0]]}", 422,
     "wrong_type", "/m"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [0, 1], \"x_max\": [1, 1], \"x\": [[0, 1]]}", 422,
     "empty_range", "/x_max/1"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [2], \"x_max\": [1], \"x\": [[0]]}", 422,
     "empty_range", "/x_max/0"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [0], \"x_max\": [1e30], \"x\": [[0]]}", 422,
     "out_of_range", "/x_max/0"},
    {"POST", "/encode", "{\"m\": 4, \"x_min\": [0], \"x_max\": [1, 2], \"x\": [[0]]}", 422,
     "wrong_shape", "/x_max"},
    {"POST", "/encode", "{" TUNING ", \"x\": [[0]], \"max_spike_time\": 0}", 422, "out_of_range",
     "/max_spike_time"},

    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [2], \"num_classes\": 2}", 422,
     "label_out_of_range", "/label/0"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [-1], \"num_classes\": 2}", 422,
     "label_out_of_range", "/label/0"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [0.5], \"num_classes\": 2}", 422,
     "label_out_of_range", "/label/0"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [0, 1], \"num_classes\": 2}", 422,
     "wrong_shape", "/label"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1, \"label\": [0], \"num_classes\": 3}", 422,
     "wrong_shape", "/v_max"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": [1, 1], \"label\": [0], \"num_classes\": 2}", 422,
     "wrong_shape", "/v_threshold"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": [[1], [1]], \"label\": [0], \"num_classes\": 2}", 422,
     "wrong_shape", "/v_threshold"},
    {"POST", "/mse_loss",
     "{\"v_max\": [[1, 2]], \"v_threshold\": 1e39, \"label\": [0], \"num_classes\": 2}", 422,
     "not_finite", "/v_threshold"},
    {"POST", "/mse_loss", "{\"v_max\": [[1, 2]], \"label\": [0], \"num_classes\": 2}", 422,
     "missing_field", "/v_threshold"},
};

START_TEST(wrong_fields_of_functions_are_named)
{
    expect_refusal_row(&wrong_functions[_i]);
}
END_TEST

/* 1024 neurons for each of 16385 values are more than an answer may hold. */
START_TEST(encodings_beyond_the_limit_are_refused)
{
    enum { VALUES = 16385 };
    char *body = NULL;
    size_t size;
    FILE *stream = open_memstream(&body, &size);
    fputs("{\"m\": 1024, \"x_min\": [0], \"x_max\": [1], \"x\": [[[0", stream);
    for (int i = 1; i < VALUES; i++)
        fputs(",0", stream);
    fputs("]]]}", stream);
    fclose(stream);
    const struct refusal row = {"POST", "/encode", body, 422, "too_large", "/x"};
    expect_refusal_row(&row);
    free(body);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("function_errors");
    TCase *tests = fixture_shared_case(suite, "errors", refusals_start);
    tcase_add_loop_test(tests, bodies_that_are_not_json_are_refused, 0, ROWS(unreadable));
    tcase_add_test(tests, deep_nesting_is_refused);
    tcase_add_loop_test(tests, wrong_fields_of_functions_are_named, 0, ROWS(wrong_functions));
    tcase_add_test(tests, encodings_beyond_the_limit_are_refused);
    return suite_run(suite);
}
