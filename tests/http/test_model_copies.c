/* What GET /models/{id} shows creates a model of the same config under another id, whatever the
 * kind of model. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

#define GAUSSIAN                                                                                   \
    "\"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\": [0.1, -1e6], "              \
    "\"x_max\": [1.7, 1e15], \"max_spike_time\": 33, \"out_of_range\": \"reject\"}"
#define LATENCY                                                                                    \
    "\"encoder\": {\"type\": \"latency\", \"scale\": \"log\", \"n\": 3, \"x_min\": 0, \"x_max\": " \
    "255}"
#define UNFITTED "\"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 3, \"n\": 2}"

static const char *const kinds[] = {
    GAUSSIAN
    ", \"out_features\": 2, \"seed\": 4294967295, \"description\": \"caf\u00e9 \\\"1\\\"\"",
    GAUSSIAN ", \"out_features\": 3, \"labels\": [\"a\", \"\u00e9\", \"c\"]",
    LATENCY ", \"out_features\": 2, \"T\": 90, \"tau\": 3.3, \"tau_s\": 0.7, \"v_threshold\": 0.25",
    UNFITTED ", \"out_features\": 2",
    "\"in_features\": 5, \"T\": 40, \"out_features\": 2, \"clock\": \"continuous\"",
    "\"in_features\": 5, \"T\": 40, \"out_features\": 2, \"hidden\": [7, 3]",
    GAUSSIAN ", \"out_features\": 2, \"hidden\": [4], \"hidden_spike\": \"peak\"",
    LATENCY ", \"out_features\": 2, \"neurons_per_class\": 3, \"score_beta\": 0.1",
    "\"in_features\": 5, \"T\": 40, \"out_features\": 2, \"read_out\": \"spike_count\", "
    "\"max_spikes\": 12, \"labels\": [\"one\", \"two\"]",
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static struct http_answer create(const json_t *model)
{
    char *body = json_dumps(model, 0);
    const struct http_answer answer = http_send(&server, "POST", "/models", body, NULL);
    free(body);
    return answer;
}

static void remove_settled(json_t *model)
{
    static const char *const names[] = {"id", "version", "created_at", "updated_at"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        ck_assert_int_eq(json_object_del(model, names[i]), 0);
}

/* Posts what is shown of a model under another id, and expects the same to be shown of the copy. */
static void expect_copy(const char *id)
{
    char path[64];
    snprintf(path, sizeof path, "/models/%s", id);
    json_t *shown = http_get(&server, path);
    struct http_answer taken = create(shown);
    ck_assert_int_eq(taken.status, 409);
    ck_assert_str_eq(json_string_value(json_object_get(taken.json, "code")), "id_taken");
    http_answer_finish(&taken);
    json_object_set_new(shown, "id", json_string("copy"));
    struct http_answer made = create(shown);
    ck_assert_msg(made.status == 201, "%s", made.body);
    json_t *copy = http_get(&server, "/models/copy");
    ck_assert_int_eq(json_integer_value(json_object_get(copy, "version")), 1);
    remove_settled(shown);
    remove_settled(copy);
    ck_assert_msg(json_equal(shown, copy), "%s", made.body);
    http_answer_finish(&made);
    json_decref(shown);
    json_decref(copy);
}

START_TEST(a_shown_model_can_be_created_again)
{
    char body[512];
    snprintf(body, sizeof body, "{\"id\": \"first\", %s}", kinds[_i]);
    create_model_of_text(&server, body);
    expect_copy("first");
}
END_TEST

/* The ranges of its version are then the config's. */
START_TEST(a_fitted_model_can_be_created_again)
{
    create_model_of_text(&server, "{\"id\": \"fitted\", \"out_features\": 2, " UNFITTED "}");
    json_decref(run_succeed(&server, "fitted",
                            json_loads("{\"x\": [[0.1, 1e6], [0.7, -3], [0.3, 12345.678]], "
                                       "\"label\": [0, 1, 0], \"epochs\": 1, \"fit\": true}",
                                       0, NULL)));
    expect_copy("fitted");
    json_t *answer =
        http_post(&server, "/models/copy/predict", json_loads("{\"x\": [[0.2, 0.5]]}", 0, NULL));
    json_decref(answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model_copies");
    TCase *tests = fixture_case(suite, "copies", NULL);
    tcase_add_loop_test(tests, a_shown_model_can_be_created_again, 0, KINDS);
    tcase_add_test(tests, a_fitted_model_can_be_created_again);
    return suite_run(suite);
}
