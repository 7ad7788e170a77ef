/* Training of models with the read-out of spike counts, over HTTP, and what is kept of it. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/datasets.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- learning --- */

#define CLUES                                                                                      \
    "\"in_spikes\": [[20, 22, -1, -1], [[20, 70], [22, 72], -1, -1], [-1, -1, 40, 42], "           \
    "[60, 62, [10, 30], [12, 32]]], \"count\": [[1, 0], [2, 0], [0, 1], [1, 2]]"

static void create_clue_model(const char *id)
{
    create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:s}", "id", id, "in_features", 4,
                                    "out_features", 2, "T", 100, "read_out", "spike_count"));
}

static json_t *clue_order(const char *more)
{
    char text[512];
    snprintf(text, sizeof text, "{" CLUES ", \"learning_rate\": 0.02%s}", more);
    return json_loads(text, 0, NULL);
}

static double metric(const json_t *run, const char *name)
{
    const json_t *value = json_object_get(json_object_get(run, "metrics"), name);
    ck_assert(json_is_number(value));
    return json_number_value(value);
}

START_TEST(a_small_task_is_learned_without_an_error)
{
    create_clue_model("clues");
    json_t *run =
        run_succeed(&server, "clues", clue_order(", \"optimizer\": \"adam\", \"epochs\": 300"));
    ck_assert_double_eq(metric(run, "loss"), 0);
    ck_assert_double_eq(metric(run, "accuracy"), 1);
    ck_assert_int_eq(member_integer(run, "version"), 2);
    expect_json(json_object_get(run, "params"),
                "{\"epochs\": 300, \"batch_size\": 64, \"learning_rate\": 0.02, "
                "\"learning_rate_schedule\": \"constant\", \"optimizer\": \"adam\", \"shuffle\": "
                "true, \"seed\": 0}");
    json_decref(run);
    json_t *evaluation = ask_json("/models/clues/evaluate", "{" CLUES "}");
    expect_json(evaluation,
                "{\"model\": \"clues\", \"version\": 2, \"count\": 4, \"loss\": 0, \"accuracy\": "
                "1}");
    json_decref(evaluation);
    json_t *answer = ask_json("/models/clues/predict", /* in the same order, never seen */
                              "{\"in_spikes\": [[[5, 35, 85], [7, 37, 87], 60, 62]]}");
    expect_json(json_object_get(answer, "count"), "[[3, 1]]");
    json_decref(answer);
}
END_TEST

START_TEST(every_parameter_of_a_run_that_applies_is_taken)
{
    create_clue_model("clues");
    json_t *run = run_succeed(
        &server, "clues",
        clue_order(", \"optimizer\": \"sgd\", \"momentum\": 0.5, \"weight_decay\": 0.01, "
                   "\"epochs\": 3, \"batch_size\": 1, \"seed\": 5, \"shuffle\": false, "
                   "\"learning_rate_schedule\": \"cosine\", \"validation_fraction\": 0.25"));
    expect_json(json_object_get(run, "params"),
                "{\"epochs\": 3, \"batch_size\": 1, \"learning_rate\": 0.02, "
                "\"learning_rate_schedule\": \"cosine\", \"optimizer\": \"sgd\", \"momentum\": "
                "0.5, \"weight_decay\": 0.01, \"shuffle\": false, \"seed\": 5, "
                "\"validation_fraction\": 0.25}");
    const double share = metric(run, "validation_accuracy"); /* of one sample's two outputs */
    ck_assert(share == 0 || share == 0.5 || share == 1);
    json_decref(run);
}
END_TEST

START_TEST(samples_to_validate_by_have_counts_of_their_own)
{
    create_clue_model("clues");
    json_t *run =
        run_succeed(&server, "clues",
                    clue_order(", \"optimizer\": \"adam\", \"epochs\": 300, \"validation\": "
                               "{\"in_spikes\": [[30, 32, -1, -1], [-1, -1, 50, 52]], "
                               "\"count\": [[1, 0], [5, 1]]}"));
    ck_assert_double_eq(metric(run, "validation_loss"), 5.0 / 4);
    ck_assert_double_eq(metric(run, "validation_accuracy"), 0.75);
    json_decref(run);
}
END_TEST

START_TEST(patience_ends_a_run_early)
{
    create_clue_model("patient");
    json_t *run =
        run_succeed(&server, "patient",
                    clue_order(", \"epochs\": 100000, \"patience\": 3, \"validation\": "
                               "{\"in_spikes\": [[30, 32, -1, -1]], \"count\": [[5, 0]]}"));
    ck_assert_int_lt(json_integer_value(json_object_get(run, "epoch")), 100000);
    ck_assert_int_eq(member_integer(json_object_get(run, "params"), "patience"), 3);
    json_decref(run);
}
END_TEST

/* Three values in a row of a table, through an encoder whose ranges the run finds. */
START_TEST(counts_are_learned_of_values_too)
{
    create_model_of_text(&server, "{\"id\": \"values\", \"encoder\": {\"type\": "
                                  "\"gaussian_tuning\", \"m\": 8, \"n\": 1}, \"T\": 80, "
                                  "\"out_features\": 1, \"read_out\": \"spike_count\"}");
    json_t *run = run_succeed(&server, "values",
                              json_loads("{\"x\": [[0], [10], [20], [30]], \"count\": [[0], [1], "
                                         "[2], [3]], \"fit\": true, \"optimizer\": \"adam\", "
                                         "\"learning_rate\": 0.05, \"epochs\": 400}",
                                         0, NULL));
    ck_assert_double_eq(metric(run, "accuracy"), 1);
    json_decref(run);
    json_t *answer = ask_json("/models/values/predict", "{\"x\": [[0], [10], [20], [30]]}");
    expect_json(json_object_get(answer, "count"), "[[0], [1], [2], [3]]");
    json_decref(answer);
}
END_TEST

START_TEST(a_run_that_diverges_publishes_nothing)
{
    create_clue_model("clues");
    json_t *run = run_finish(
        &server, "clues",
        json_loads("{" CLUES ", \"learning_rate\": 1000000, \"momentum\": 1, \"epochs\": 3000, "
                   "\"weight_decay\": 1000}",
                   0, NULL));
    ck_assert_str_eq(member_string(run, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(run, "error"), "code"), "diverged");
    json_decref(run);
}
END_TEST

/* --- what is kept --- */

/* 150 samples of many spikes each. */
static json_t *long_order(int epochs)
{
    enum { SAMPLES = 150, INPUTS = 8, EACH = 4 };
    uint32_t state = 7;
    json_t *samples = json_array(), *counts = json_array();
    for (size_t b = 0; b < SAMPLES; b++) {
        json_t *sample = json_array();
        for (size_t i = 0; i < INPUTS; i++) {
            json_t *train = json_array();
            for (size_t k = 0; k < EACH; k++)
                json_array_append_new(train, json_integer(next_random(&state) % 100));
            json_array_append_new(sample, train);
        }
        json_array_append_new(samples, sample);
        json_array_append_new(counts, json_pack("[i, i]", (int)(next_random(&state) % 4),
                                                (int)(next_random(&state) % 6)));
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:f, s:s, s:i}", "in_spikes", samples, "count", counts,
                     "epochs", epochs, "batch_size", 16, "learning_rate", 0.01, "optimizer", "adam",
                     "seed", 3);
}

static void create_long_model(const struct service *service, const char *id)
{
    create_model(service,
                 json_pack("{s:s, s:i, s:i, s:i, s:s, s:i}", "id", id, "in_features", 8,
                           "out_features", 2, "T", 100, "read_out", "spike_count", "seed", 2));
}

START_TEST(a_model_outlives_a_restart)
{
    static const char question[] = "{\"in_spikes\": [[20, 22, 40, 42]], \"ret_type\": "
                                   "[\"count\", \"spike_times\", \"thresholds\", \"v\"]}";
    create_clue_model("clues");
    json_decref(run_succeed(&server, "clues", clue_order(", \"epochs\": 50")));
    json_t *model = http_get(&server, "/models/clues");
    json_t *before = ask_json("/models/clues/predict", question);
    service_restart(&server);
    json_t *again = http_get(&server, "/models/clues");
    json_t *after = ask_json("/models/clues/predict", question);
    ck_assert(json_equal(model, again));
    ck_assert(json_equal(before, after));
    json_decref(model);
    json_decref(again);
    json_decref(before);
    json_decref(after);
}
END_TEST

START_TEST(a_run_killed_in_its_middle_ends_with_the_same_bits)
{
    static const struct run_recipe recipe = {create_long_model, long_order};
    char killed[RUN_MODEL], calm[RUN_MODEL];
    run_survives(&server, &recipe, service_kill, killed, calm);
}
END_TEST

/* Equal samples are stored once, but for what is to be learned of them. */
START_TEST(counts_and_labels_of_the_same_numbers_are_told_apart)
{
    static const char *const aims[] = {"\"label\": [0, 0]", "\"count\": [[0], [0]]",
                                       "\"count\": [[0], [1]]", "\"count\": [[0], [0]]"};
    char order[128], id[32];
    for (int i = 0; i < ROWS(aims); i++) {
        snprintf(id, sizeof id, "same-%d", i);
        create_model(&server, json_pack("{s:s, s:i, s:i, s:i, s:s}", "id", id, "in_features", 1,
                                        "out_features", 1, "T", 20, "read_out",
                                        i == 0 ? "v_max" : "spike_count"));
        snprintf(order, sizeof order, "{\"in_spikes\": [[1], [2]], \"epochs\": 1, %s}", aims[i]);
        json_decref(run_succeed(&server, id, json_loads(order, 0, NULL)));
    }
    ck_assert_int_eq(number_in_database(&server, "SELECT count(*) FROM samples"), 3);
    ck_assert_int_eq(
        number_in_database(&server, "SELECT count(*) FROM samples WHERE counts IS NULL"), 1);
}
END_TEST

/* Behind the server's back. */
static void damage_counts(void)
{
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open_v2(server.database, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(db, service_patience());
    ck_assert_int_eq(
        sqlite3_exec(db, "UPDATE samples SET counts = zeroblob(length(counts))", NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

START_TEST(counts_that_were_damaged_are_not_trained_on)
{
    create_clue_model("clues");
    const json_int_t first = run_queue(&server, "clues", clue_order(", \"epochs\": 100000"));
    run_await_begun(&server, first);
    const json_int_t run = run_queue(&server, "clues", clue_order(", \"epochs\": 1"));
    damage_counts();
    json_decref(run_cancel(&server, first, 202));
    json_t *ended = run_await(&server, run, run_has_ended);
    ck_assert_str_eq(member_string(ended, "state"), "failed");
    ck_assert_str_eq(member_string(json_object_get(ended, "error"), "code"), "damaged_data");
    json_decref(ended);
}
END_TEST

/* --- threads --- */

/* The text of what many samples, shared out to a team, are answered after a training. */
static char *answer_of_threads(const char *threads)
{
    struct service service;
    service_start(&service, FLAGS("--log", "errors", "--threads", threads));
    create_long_model(&service, "shared");
    json_decref(run_succeed(&service, "shared", long_order(5)));
    json_t *order = long_order(1);
    json_t *answer = http_post(&service, "/models/shared/predict",
                               json_pack("{s:O, s:[s, s, s, s], s:i}", "in_spikes",
                                         json_object_get(order, "in_spikes"), "ret_type", "count",
                                         "spike_times", "thresholds", "v", "k_max", 3));
    char *text = json_dumps(answer, JSON_COMPACT);
    json_decref(order);
    json_decref(answer);
    service_finish(&service);
    return text;
}

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    char *one = answer_of_threads("1"), *two = answer_of_threads("2"), *five = NULL;
    ck_assert_str_eq(one, two);
    five = answer_of_threads("5");
    ck_assert_str_eq(one, five);
    free(one);
    free(two);
    free(five);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spike_count_training");
    TCase *tests = fixture_case(suite, "counts", NULL);
    tcase_add_test(tests, a_small_task_is_learned_without_an_error);
    tcase_add_test(tests, every_parameter_of_a_run_that_applies_is_taken);
    tcase_add_test(tests, samples_to_validate_by_have_counts_of_their_own);
    tcase_add_test(tests, patience_ends_a_run_early);
    tcase_add_test(tests, counts_are_learned_of_values_too);
    tcase_add_test(tests, a_run_that_diverges_publishes_nothing);
    tcase_add_test(tests, a_model_outlives_a_restart);
    tcase_add_test(tests, a_run_killed_in_its_middle_ends_with_the_same_bits);
    tcase_add_test(tests, counts_and_labels_of_the_same_numbers_are_told_apart);
    tcase_add_test(tests, counts_that_were_damaged_are_not_trained_on);
    tcase_add_test(tests, any_number_of_threads_gives_the_same_bits);
    return suite_run(suite);
}
