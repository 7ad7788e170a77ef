/* Rows that something else than the server has changed: each is refused, and all others go on.
 * tests/robustness/columns.py tries every column. */
#include <check.h>
#include <stdlib.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

#define TRAIN_ON_A "{\"dataset\": \"a\", \"epochs\": 1}"

/* No model stays in memory. */
static void start(void)
{
    fixture_start(FLAGS("--model-cache", "1K"));
    create_model(&server, model_with_encoder("one"));
    create_model(&server, model_with_encoder("two"));
    put_both(&server, "a");
    put_both(&server, "b");
}

START_TEST(a_dataset_of_another_size_than_its_values_is_refused)
{
    damage_database(&server,
                    "UPDATE arrays SET count = count * 2 WHERE id = (SELECT x FROM datasets "
                    "WHERE id = 'a')");
    expect_refused("GET", "/datasets/a", NULL, 500, "damaged_data", NULL);
    expect_refused("POST", "/models/one/predict", "{\"dataset\": \"a\"}", 500, "damaged_data",
                   NULL);
    expect_refused("POST", "/models/one/evaluate", "{\"dataset\": \"a\"}", 500, "damaged_data",
                   NULL);
    expect_refused("POST", "/models/one/train", TRAIN_ON_A, 500, "damaged_data", NULL);
    json_decref(ask_json("/models/one/evaluate", "{\"dataset\": \"b\"}"));
    expect_member("/datasets", NULL, "damaged", "1");
}
END_TEST

START_TEST(a_damaged_dataset_can_be_deleted)
{
    damage_database(&server, "UPDATE datasets SET classes = 60000 WHERE id = 'a'");
    expect_refused("GET", "/datasets/a", NULL, 500, "damaged_data", NULL);
    struct http_answer answer = ask(204, "DELETE", "/datasets/a", NULL);
    http_answer_finish(&answer);
    expect_arrays(&server, 2);
}
END_TEST

START_TEST(a_changed_configuration_is_refused)
{
    damage_database(&server,
                    "UPDATE models SET config = replace(config, '\"tau\":15', '\"tau\":16') "
                    "WHERE id = 'one'");
    expect_refused("GET", "/models/one", NULL, 500, "damaged_data", NULL);
    expect_refused("POST", "/models/one/predict", "{\"dataset\": \"a\"}", 500, "damaged_data",
                   NULL);
    json_decref(ask_json("/models/two/predict", "{\"dataset\": \"a\"}"));
    expect_member("/models", NULL, "damaged", "1");
}
END_TEST

START_TEST(a_damaged_run_fails_and_holds_up_no_other)
{
    json_decref(run_succeed(&server, "one", json_pack("{s:s, s:i}", "dataset", "a", "epochs", 1)));
    damage_database(&server, "UPDATE runs SET state = 'queued', epochs = 7 WHERE id = 1");
    json_decref(run_succeed(&server, "two", json_pack("{s:s, s:i}", "dataset", "a", "epochs", 1)));
    expect_refused("GET", "/runs/1", NULL, 500, "damaged_data", NULL);
    expect_member("/runs", NULL, "damaged", "1");
    ck_assert_int_eq(number_in_database(&server, "SELECT state = 'failed' AND error_code = "
                                                 "'damaged_data' FROM runs WHERE id = 1"),
                     1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("damaged rows");
    TCase *tests = fixture_case(suite, "damaged rows", start);
    tcase_add_test(tests, a_dataset_of_another_size_than_its_values_is_refused);
    tcase_add_test(tests, a_damaged_dataset_can_be_deleted);
    tcase_add_test(tests, a_changed_configuration_is_refused);
    tcase_add_test(tests, a_damaged_run_fails_and_holds_up_no_other);
    return suite_run(suite);
}
