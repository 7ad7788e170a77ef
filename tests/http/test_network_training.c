/* Networks that are trained over HTTP: their parameters, what they learn, and the same bits for the
 * same seed. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/ask.h"
#include "tests/support/client.h"
#include "tests/support/fixture.h"
#include "tests/support/http.h"
#include "tests/support/networks.h"
#include "tests/support/runs.h"
#include "tests/support/suite.h"

/* --- training --- */

static const struct {
    const char *model, *fields, *code, *pointer;
} wrong_trainings[] = {
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

START_TEST(wrong_trainings_are_named)
{
    static const char shift[] = "\"augment\": {\"shift\": 1, \"height\": 2, \"width\": 3}";
    char body[NETWORK_TEXT], path[64];
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
    for (size_t i = 0; i < sizeof wrong_trainings / sizeof *wrong_trainings; i++) {
        snprintf(path, sizeof path, "/models/%s/train", wrong_trainings[i].model);
        snprintf(body, sizeof body, "{\"x\": [[1, 2, 3, 4, 5, 6]], \"label\": [0], %s}",
                 wrong_trainings[i].fields);
        expect_refused("POST", path, body, 422, wrong_trainings[i].code,
                       wrong_trainings[i].pointer);
    }
    snprintf(body, sizeof body, "{\"in_spikes\": [[1, 2, 3, 4, 5, 6]], \"label\": [0], %s}", shift);
    expect_refused("POST", "/models/deep/train", body, 422, "conflicting_fields", "/augment");
    create_plain_model(&server, "plain");
    snprintf(body, sizeof body, "{\"in_spikes\": [[1, 2]], \"label\": [0], %s}", shift);
    expect_refused("POST", "/models/plain/train", body, 422, "conflicting_fields", "/augment");
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
    create_network(&server, "m", _i, "");
    json_t *order = network_order(_i, "pictures", 2);
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
    ck_assert(network_depths[_i] == 1 ? cost == NULL : json_number_value(cost) == 1e-5);
    const json_t *slope = json_object_get(json_object_get(run, "params"), "slope_floor");
    const bool crosses = network_depths[_i] > 1 && strstr(network_kinds[_i], "peak") == NULL;
    ck_assert(crosses ? json_number_value(slope) == 4 : slope == NULL);
    json_decref(run);
}
END_TEST

START_TEST(networks_learn)
{
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "m", _i, ", \"labels\": [\"row\", \"column\", \"diagonal\"]");
    json_t *order =
        json_pack("{s:s, s:i, s:i, s:s, s:f, s:s, s:s, s:f}", "dataset", "pictures", "epochs", 300,
                  "batch_size", 8, "optimizer", "adam", "learning_rate", 0.02,
                  "learning_rate_schedule", "cosine", "loss", "cross_entropy", "beta", 4.0);
    json_decref(run_succeed(&server, "m", order));
    json_t *evaluation = ask_json("/models/m/evaluate", "{\"dataset\": \"pictures\", \"loss\":"
                                                        " \"cross_entropy\"}");
    ck_assert_double_ge(member_number(evaluation, "accuracy"), 0.75);
    ck_assert_int_eq(member_integer(evaluation, "count"), PICTURES);
    expect_shape(json_object_get(evaluation, "confusion"), PICTURE_CLASSES, PICTURE_CLASSES);
    const json_t *classes = json_object_get(evaluation, "classes");
    ck_assert_uint_eq(json_array_size(classes), PICTURE_CLASSES);
    ck_assert_str_eq(member_string(json_array_get(classes, 2), "label"), "diagonal");
    ck_assert_double_eq(member_number(json_array_get(classes, 2), "support"),
                        PICTURES / PICTURE_CLASSES);
    json_decref(evaluation);
}
END_TEST

/* --- the same bits --- */

/* The weights that training makes of one seed, on a server of so many threads. */
static json_t *trained_by(const char *threads, int kind, const char *type)
{
    struct service service;
    service_start(&service, FLAGS("--threads", threads));
    put_pictures(&service, "pictures", type);
    create_network(&service, "m", kind, "");
    json_decref(run_succeed(&service, "m", network_order(kind, "pictures", 4)));
    json_t *both = json_pack("[o, o]", http_get(&service, "/models/m/weights"),
                             network_answers(&service, "m"));
    service_finish(&service);
    return both;
}

START_TEST(a_seed_gives_the_same_bits_with_any_threads)
{
    json_t *one = trained_by("1", _i, "|u1");
    expect_equal_json(json_incref(one), trained_by("3", _i, "|u1"));
    json_t *floats = trained_by("3", _i, "<f4");
    expect_equal_json(json_incref(json_array_get(one, 0)), json_incref(json_array_get(floats, 0)));
    json_decref(floats);
    json_decref(one);
}
END_TEST

/* Begun again after the end of the process, it comes to the same. */
START_TEST(a_run_survives_a_crash)
{
    enum { EPOCHS = 600 };
    put_pictures(&server, "pictures", "|u1");
    create_network(&server, "whole", _i, "");
    create_network(&server, "killed", _i, "");
    json_decref(run_succeed(&server, "whole", network_order(_i, "pictures", EPOCHS)));
    const json_int_t run = run_queue(&server, "killed", network_order(_i, "pictures", EPOCHS));
    json_decref(run_await(&server, run, run_is_running));
    service_kill(&server);
    service_restart(&server);
    json_t *ended = run_await(&server, run, run_has_ended);
    ck_assert_str_eq(member_string(ended, "state"), "succeeded");
    expect_equal_weights(&server, "whole", "killed");
    json_decref(ended);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_training");
    TCase *tests = fixture_case(suite, "networks", NULL);
    tcase_add_test(tests, wrong_trainings_are_named);
    tcase_add_test(tests, parameters_of_no_use_may_be_null);
    tcase_add_loop_test(tests, runs_tell_their_parameters, 0, NETWORK_KINDS);
    tcase_add_loop_test(tests, networks_learn, 0, NETWORK_KINDS);
    tcase_add_loop_test(tests, a_seed_gives_the_same_bits_with_any_threads, 0, NETWORK_KINDS);
    tcase_add_loop_test(tests, a_run_survives_a_crash, 0, NETWORK_KINDS);
    return suite_run(suite);
}
