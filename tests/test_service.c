/* What the service is for, over HTTP: the golden vectors, models, versions, training, prediction.
 * Every test starts a server of its own. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "iris.h"
#include "support/http.h"
#include "support/service.h"
#include "support/suite.h"

static struct service server;

static void start_server(void)
{
    service_start(&server, NULL);
}

static void stop_server(void)
{
    service_finish(&server);
}

/* --- asking --- */

static json_t *post(const char *path, json_t *body)
{
    return http_call(&server, 200, "POST", path, body);
}

static json_t *get(const char *path)
{
    return http_call(&server, 200, "GET", path, NULL);
}

static void create(json_t *model)
{
    json_decref(http_call(&server, 201, "POST", "/models", model));
}

static void create_plain(const char *id)
{
    create(
        json_pack("{s:s, s:i, s:i, s:i}", "id", id, "in_features", 2, "out_features", 2, "T", 20));
}

/* Trains to the end and returns the run. */
static json_t *train(const char *path, json_t *order)
{
    char *body = json_dumps(order, JSON_COMPACT);
    struct http_answer answer = http_send(&server, "POST", path, body, "Prefer: wait=600", NULL);
    json_decref(order);
    free(body);
    ck_assert_msg(answer.status == 200, "%ld %s", answer.status, answer.body);
    ck_assert_str_eq(json_string_value(json_object_get(answer.json, "state")), "succeeded");
    json_t *run = json_incref(answer.json);
    http_answer_finish(&answer);
    return run;
}

/* The JSON of a GET as text, compared byte by byte. */
static char *text_of(const char *path, const char *member)
{
    json_t *answer = get(path);
    char *text = json_dumps(json_object_get(answer, member), JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(answer);
    ck_assert_ptr_nonnull(text);
    return text;
}

static void assert_version(const char *path, json_int_t version)
{
    json_t *model = get(path);
    ck_assert_int_eq(json_integer_value(json_object_get(model, "version")), version);
    json_decref(model);
}

/* An object of those members of a golden vector; the list ends by NULL. */
static json_t *take(const json_t *golden, const char *const *names)
{
    json_t *object = json_object();
    for (size_t i = 0; names[i] != NULL; i++)
        json_object_set_new(object, names[i], json_copy(json_object_get(golden, names[i])));
    return object;
}

/* --- golden vectors --- */

static void encode_case(const json_t *golden)
{
    static const char *const names[] = {"m", "x_min", "x_max", "max_spike_time", "x", NULL};
    json_t *answer = post("/encode", take(golden, names));
    ck_assert(json_equal(json_object_get(answer, "out_spikes"), json_object_get(golden, "spikes")));
    const json_t *shape = json_object_get(answer, "shape");
    ck_assert_uint_eq(json_array_size(shape), 4);
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 1)), (int)golden_size(golden, "n"));
    ck_assert_int_eq(json_integer_value(json_array_get(shape, 3)), (int)golden_size(golden, "m"));
    json_decref(answer);
}

START_TEST(encode_answers_golden_spike_times)
{
    golden_each("encode", encode_case);
}
END_TEST

static void model_encode_case(const json_t *golden)
{
    static const char *const encoder_names[] = {"m", "x_min", "x_max", "max_spike_time", NULL};
    static const char *const sample_names[] = {"x", NULL};
    json_t *encoder = take(golden, encoder_names);
    json_object_set_new(encoder, "type", json_string("gaussian_tuning"));
    create(json_pack("{s:s, s:i, s:o}", "id", "golden", "out_features", 2, "encoder", encoder));
    json_t *answer = post("/models/golden/encode", take(golden, sample_names));
    ck_assert(json_equal(json_object_get(answer, "out_spikes"), json_object_get(golden, "spikes")));
    json_decref(answer);
    json_decref(http_call(&server, 204, "DELETE", "/models/golden", NULL));
}

START_TEST(a_models_encoder_answers_golden_spike_times)
{
    golden_each("encode", model_encode_case);
}
END_TEST

static void assert_near(const json_t *actual, const json_t *expected, const char *name,
                        size_t count, float tolerance)
{
    float *is = golden_floats(actual, name, count), *should = golden_floats(expected, name, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_float_le(fabsf(is[i] - should[i]), tolerance);
    free(should);
    free(is);
}

static void psp_kernel_case(const json_t *golden)
{
    static const char *const names[] = {"t", "tau", "tau_s", NULL};
    json_t *answer = post("/psp_kernel", take(golden, names));
    assert_near(answer, golden, "k", json_array_size(json_object_get(golden, "t")), 1e-6f);
    json_decref(answer);
}

START_TEST(psp_kernel_answers_golden)
{
    golden_each("psp_kernel", psp_kernel_case);
}
END_TEST

static void mse_loss_case(const json_t *golden)
{
    static const char *const names[] = {"v_max", "v_threshold", "label", "num_classes", NULL};
    json_t *answer = post("/mse_loss", take(golden, names));
    ck_assert_double_eq_tol(golden_number(answer, "loss"), golden_number(golden, "loss"), 1e-6);
    json_decref(answer);
}

START_TEST(mse_loss_answers_golden)
{
    golden_each("mse_loss", mse_loss_case);
}
END_TEST

static void create_golden(const json_t *golden)
{
    static const char *const names[] = {"in_features", "out_features", "T",      "tau",
                                        "tau_s",       "v_threshold",  "weight", NULL};
    json_t *model = take(golden, names);
    json_object_set_new(model, "id", json_string("golden"));
    create(model);
}

static float largest_of(const json_t *golden, const char *name, size_t count)
{
    float largest = 0;
    float *values = golden_floats(golden, name, count);
    for (size_t i = 0; i < count; i++)
        largest = fmaxf(largest, fabsf(values[i]));
    free(values);
    return largest;
}

/* The class of the highest v_max, where any input spikes. */
static void assert_labels(const json_t *answer, const json_t *golden)
{
    size_t sample;
    json_t *row;
    json_array_foreach(json_object_get(golden, "v_max"), sample, row) {
        size_t best = 0;
        for (size_t j = 1; j < json_array_size(row); j++)
            if (json_number_value(json_array_get(row, j)) >
                json_number_value(json_array_get(row, best)))
                best = j;
        const json_t *label = json_array_get(json_object_get(answer, "label"), sample);
        ck_assert_int_eq(json_integer_value(label), (json_int_t)best);
    }
}

static void forward_case(const json_t *golden)
{
    const size_t batch = json_array_size(json_object_get(golden, "in_spikes"));
    const size_t outputs = batch * golden_size(golden, "out_features");
    const size_t volts = outputs * golden_size(golden, "T");
    create_golden(golden);
    json_t *answer =
        post("/models/golden/predict",
             json_pack("{s:O, s:[s,s,s,s]}", "in_spikes", json_object_get(golden, "in_spikes"),
                       "ret_type", "label", "v_max", "spikes", "v"));
    assert_near(answer, golden, "v", volts, 1e-5f * largest_of(golden, "v", volts));
    assert_near(answer, golden, "v_max", outputs, 1e-5f * largest_of(golden, "v_max", outputs));
    assert_near(answer, golden, "spikes", outputs, 0);
    assert_labels(answer, golden);
    json_decref(answer);
    json_decref(http_call(&server, 204, "DELETE", "/models/golden", NULL));
}

START_TEST(predictions_equal_golden)
{
    golden_each("forward", forward_case);
}
END_TEST

static void training_case(const json_t *golden)
{
    const size_t weights = golden_size(golden, "in_features") * golden_size(golden, "out_features");
    const size_t steps = json_array_size(json_object_get(golden, "loss"));
    create_golden(golden);
    json_t *order = json_pack(
        "{s:O, s:O, s:O, s:O, s:O, s:i, s:b}", "in_spikes", json_object_get(golden, "in_spikes"),
        "label", json_object_get(golden, "label"), "batch_size",
        json_object_get(golden, "batch_size"), "learning_rate", json_object_get(golden, "lr"),
        "optimizer", json_object_get(golden, "optimizer"), "epochs", 1, "shuffle", 0);
    if (json_object_get(golden, "momentum") != NULL)
        json_object_set(order, "momentum", json_object_get(golden, "momentum"));
    json_t *run = train("/models/golden/train", order);
    json_t *trained = get("/models/golden/weights");
    json_object_set(trained, "final_weight", json_object_get(trained, "weight"));
    assert_near(trained, golden, "final_weight", weights, 1e-4f);

    double sum = 0;
    float *losses = golden_floats(golden, "loss", steps);
    for (size_t i = 0; i < steps; i++)
        sum += (double)losses[i];
    free(losses);
    ck_assert_double_eq_tol(golden_number(json_object_get(run, "metrics"), "loss"),
                            sum / (double)steps, 1e-4);
    json_decref(trained);
    json_decref(run);
    json_decref(http_call(&server, 204, "DELETE", "/models/golden", NULL));
}

START_TEST(training_takes_torchs_steps)
{
    golden_each("training", training_case);
}
END_TEST

/* --- Iris --- */

static json_t *rows_of(const struct sample_set *set)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < set->count; i++) {
        json_t *row = json_array();
        for (size_t k = 0; k < set->features; k++)
            json_array_append_new(row, json_real((double)set->values[i * set->features + k]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *labels_of(const struct sample_set *set)
{
    json_t *labels = json_array();
    for (size_t i = 0; i < set->count; i++)
        json_array_append_new(labels, json_integer(set->label[i]));
    return labels;
}

static json_t *iris_model(const char *id)
{
    return json_pack("{s:s, s:i, s:i, s:{s:s, s:i, s:[f,f,f,f], s:[f,f,f,f], s:i}}", "id", id,
                     "out_features", IRIS_CLASSES, "T", 100, "encoder", "type", "gaussian_tuning",
                     "m", IRIS_NEURONS, "x_min", 4.3, 2.0, 1.0, 0.1, "x_max", 7.9, 4.4, 6.9, 2.5,
                     "max_spike_time", 100);
}

static json_t *iris_order(const struct sample_set *set, int epochs)
{
    return json_pack("{s:o, s:o, s:i, s:s, s:f, s:i, s:s, s:i}", "x", rows_of(set), "label",
                     labels_of(set), "epochs", epochs, "optimizer", "adam", "learning_rate", 0.01,
                     "batch_size", 16, "loss", "cross_entropy", "beta", 5);
}

/* How many of the test samples are predicted right. */
static size_t iris_hits(const struct sample_set *training, const struct sample_set *test)
{
    size_t hits = 0;
    create(iris_model("iris"));
    json_decref(train("/models/iris/train", iris_order(training, 100)));
    json_t *answer = post("/models/iris/predict", json_pack("{s:o}", "x", rows_of(test)));
    for (size_t i = 0; i < test->count; i++)
        hits += json_integer_value(json_array_get(json_object_get(answer, "label"), i)) ==
                test->label[i];
    json_decref(answer);

    json_t *evaluation = post("/models/iris/evaluate", json_pack("{s:o, s:o}", "x", rows_of(test),
                                                                 "label", labels_of(test)));
    ck_assert_double_eq_tol(golden_number(evaluation, "accuracy"),
                            (double)hits / (double)test->count, 1e-9);
    json_decref(evaluation);
    json_decref(http_call(&server, 204, "DELETE", "/models/iris", NULL));
    return hits;
}

START_TEST(iris_is_learned_over_http)
{
    struct iris iris;
    struct sample_set training, test;
    size_t hits = 0;
    iris_load(&iris);
    for (uint32_t seed = 0; seed < 2; seed++) {
        for (size_t fold = 0; fold < 5; fold++) {
            iris_fold(&iris, seed, fold, &training, &test);
            hits += iris_hits(&training, &test);
        }
    }
    iris_finish(&iris);
    const double accuracy = (double)hits / (2 * IRIS_COUNT);
    ck_assert_msg(accuracy >= 0.945, "accuracy %.4f", accuracy);
}
END_TEST

/* Of the stored bytes of the weights. */
static const char *newest_checksum(const json_t *listing)
{
    const json_t *newest = json_array_get(json_object_get(listing, "versions"), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(newest, "version")), 2);
    return json_string_value(json_object_get(newest, "sha256"));
}

START_TEST(training_twice_gives_the_same_bits)
{
    struct iris iris;
    iris_load(&iris);
    create(iris_model("one"));
    create(iris_model("two"));
    json_decref(train("/models/one/train", iris_order(&iris.all, 10)));
    json_decref(train("/models/two/train", iris_order(&iris.all, 10)));
    iris_finish(&iris);
    json_t *one = get("/models/one/versions?limit=1"), *two = get("/models/two/versions?limit=1");
    const char *sum = newest_checksum(one);
    ck_assert_uint_eq(strlen(sum), 64);
    ck_assert_str_eq(sum, newest_checksum(two));
    json_decref(two);
    json_decref(one);
}
END_TEST

/* --- runs --- */

static json_t *small_order(int epochs)
{
    return json_pack("{s:[[i,i],[i,i]], s:[i,i], s:i}", "in_spikes", 1, 5, 5, 1, "label", 0, 1,
                     "epochs", epochs);
}

START_TEST(a_run_is_reported_and_publishes_a_version)
{
    create_plain("plain");
    json_t *run = train("/models/plain/train", small_order(7));
    ck_assert_str_eq(json_string_value(json_object_get(run, "model")), "plain");
    ck_assert_int_eq(json_integer_value(json_object_get(run, "epoch")), 7);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "base_version")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(run, "version")), 2);
    ck_assert(json_is_null(json_object_get(run, "error")));
    const json_t *metrics = json_object_get(run, "metrics");
    ck_assert(json_is_real(json_object_get(metrics, "loss")));
    ck_assert(json_is_null(json_object_get(metrics, "validation_loss")));
    assert_version("/models/plain", 2);

    json_t *shown = get("/runs/1"), *epochs = get("/runs/1/metrics");
    ck_assert(json_equal(shown, run));
    ck_assert_uint_eq(json_array_size(json_object_get(epochs, "metrics")), 7);
    const json_t *last = json_array_get(json_object_get(epochs, "metrics"), 6);
    ck_assert_int_eq(json_integer_value(json_object_get(last, "epoch")), 7);
    ck_assert_double_eq(golden_number(last, "loss"), golden_number(metrics, "loss"));
    json_decref(epochs);
    json_decref(shown);
    json_decref(run);
}
END_TEST

START_TEST(a_run_is_accepted_before_it_ends)
{
    create_plain("plain");
    json_t *order = small_order(1);
    char *body = json_dumps(order, JSON_COMPACT);
    struct http_answer answer = http_send(&server, "POST", "/models/plain/train", body, NULL);
    /* A run this short may have ended by the time it is answered. */
    ck_assert(answer.status == 202 || answer.status == 200);
    ck_assert_str_eq(http_header(&answer, "location"), "/runs/1");
    ck_assert_int_eq(json_integer_value(json_object_get(answer.json, "id")), 1);
    http_answer_finish(&answer);
    json_decref(order);
    free(body);
}
END_TEST

START_TEST(a_cancelled_run_publishes_nothing)
{
    create_plain("plain");
    json_decref(http_call(&server, 202, "POST", "/models/plain/train", small_order(100000)));
    json_decref(http_call(&server, 202, "POST", "/runs/1/cancel", NULL));
    json_t *next = train("/models/plain/train", small_order(1)); /* waits for the first's end */
    json_t *cancelled = get("/runs/1");
    ck_assert_str_eq(json_string_value(json_object_get(cancelled, "state")), "cancelled");
    ck_assert(json_is_null(json_object_get(cancelled, "version")));
    ck_assert_int_eq(json_integer_value(json_object_get(next, "version")), 2);
    json_decref(cancelled);
    json_decref(next);
}
END_TEST

START_TEST(runs_are_listed_by_model_and_state)
{
    static const struct {
        const char *path;
        size_t count;
    } listings[] = {
        {"/runs", 3},
        {"/runs?model=one", 2},
        {"/runs?model=two", 1},
        {"/runs?model=two&state=succeeded", 1},
        {"/runs?state=failed", 0},
    };
    create_plain("one");
    create_plain("two");
    json_decref(train("/models/one/train", small_order(1)));
    json_decref(train("/models/two/train", small_order(1)));
    json_decref(train("/models/one/train", small_order(1)));
    for (size_t i = 0; i < sizeof listings / sizeof *listings; i++) {
        json_t *runs = get(listings[i].path);
        ck_assert_uint_eq(json_array_size(json_object_get(runs, "runs")), listings[i].count);
        ck_assert(json_is_null(json_object_get(runs, "next_cursor")));
        json_decref(runs);
    }
}
END_TEST

/* --- models and versions --- */

START_TEST(a_model_is_shown_as_it_was_created)
{
    json_t *made = http_call(&server, 201, "POST", "/models", iris_model("iris"));
    json_t *shown = get("/models/iris");
    ck_assert(json_equal(made, shown));
    ck_assert_int_eq(json_integer_value(json_object_get(shown, "in_features")), 64);
    ck_assert_double_eq(golden_number(shown, "tau"), 15);
    ck_assert_double_eq(golden_number(shown, "tau_s"), 3.75);
    ck_assert_str_eq(json_string_value(json_object_get(shown, "clock")), "grid");
    ck_assert_int_eq(json_integer_value(json_object_get(shown, "version")), 1);
    json_decref(shown);
    json_decref(made);
}
END_TEST

START_TEST(a_model_without_id_is_given_one)
{
    struct http_answer answer = http_send(
        &server, "POST", "/models", "{\"in_features\": 1, \"out_features\": 1, \"T\": 1}", NULL);
    ck_assert_int_eq(answer.status, 201);
    const char *location = http_header(&answer, "location");
    const char *id = json_string_value(json_object_get(answer.json, "id"));
    ck_assert_int_eq(strncmp(location, "/models/", 8), 0);
    ck_assert_str_eq(location + 8, id);
    json_decref(get(location));
    http_answer_finish(&answer);
}
END_TEST

/* Follows the cursors of a listing, two at a time, and checks that the ids come newest first. */
START_TEST(models_are_listed_in_pages_newest_first)
{
    static const char *const ids[] = {"e", "d", "c", "b", "a"};
    char path[96] = "/models?limit=2";
    size_t seen = 0;
    for (size_t i = 5; i-- > 0;)
        create_plain(ids[i]);
    for (bool more = true; more;) {
        size_t index;
        json_t *model, *page = get(path);
        ck_assert_uint_le(json_array_size(json_object_get(page, "models")), 2);
        json_array_foreach(json_object_get(page, "models"), index, model) {
            ck_assert_uint_lt(seen, 5);
            ck_assert_str_eq(json_string_value(json_object_get(model, "id")), ids[seen++]);
        }
        const char *cursor = json_string_value(json_object_get(page, "next_cursor"));
        more = cursor != NULL;
        snprintf(path, sizeof path, "/models?limit=2&cursor=%s", more ? cursor : "");
        json_decref(page);
    }
    ck_assert_uint_eq(seen, 5);
}
END_TEST

static json_t *weights(double first)
{
    return json_pack("{s:[[f,f],[f,f]]}", "weight", first, 0.25, -0.5, 1.5);
}

START_TEST(imported_weights_become_a_version_and_come_out_again)
{
    create_plain("plain");
    json_t *put = http_call(&server, 200, "PUT", "/models/plain/weights", weights(0.125));
    ck_assert_int_eq(json_integer_value(json_object_get(put, "version")), 2);
    json_t *got = get("/models/plain/weights"), *expected = weights(0.125);
    ck_assert_int_eq(json_integer_value(json_object_get(got, "version")), 2);
    assert_near(got, expected, "weight", 4, 0);
    json_decref(expected);
    json_decref(put);
    put = http_call(&server, 200, "PUT", "/models/plain/weights", got); /* as it came out */
    ck_assert_int_eq(json_integer_value(json_object_get(put, "version")), 3);
    json_decref(put);
}
END_TEST

START_TEST(the_served_version_goes_back_and_forth)
{
    create_plain("plain");
    char *initial = text_of("/models/plain/weights", "weight");
    json_decref(http_call(&server, 200, "PUT", "/models/plain/weights", weights(2)));
    char *imported = text_of("/models/plain/weights", "weight");
    ck_assert_str_ne(initial, imported);
    for (int version = 1; version <= 2; version++) {
        json_decref(http_call(&server, 200, "PATCH", "/models/plain",
                              json_pack("{s:i}", "version", version)));
        assert_version("/models/plain", version);
        char *served = text_of("/models/plain/weights", "weight");
        ck_assert_str_eq(served, version == 1 ? initial : imported);
        free(served);
    }
    free(imported);
    free(initial);
}
END_TEST

START_TEST(an_older_version_predicts_by_its_path)
{
    static const char body[] = "{\"in_spikes\": [[1, 2]], \"ret_type\": \"v_max\"}";
    create_plain("plain");
    json_t *before = post("/models/plain/predict", json_loads(body, 0, NULL));
    json_decref(http_call(&server, 200, "PUT", "/models/plain/weights", weights(2)));
    json_t *older = post("/models/plain/versions/1/predict", json_loads(body, 0, NULL));
    json_t *newer = post("/models/plain/predict", json_loads(body, 0, NULL));
    ck_assert(json_equal(before, older));
    ck_assert(!json_equal(before, newer));
    ck_assert_int_eq(json_integer_value(json_object_get(newer, "version")), 2);
    json_decref(newer);
    json_decref(older);
    json_decref(before);
}
END_TEST

START_TEST(labels_are_answered_by_name_and_null_where_nothing_spiked)
{
    create(json_pack("{s:s, s:i, s:i, s:i, s:[s,s], s:[[f,f],[f,f]]}", "id", "named", "in_features",
                     2, "out_features", 2, "T", 50, "labels", "low", "high", "weight", 1.0, 0.0,
                     0.0, 1.0));
    json_t *answer = post("/models/named/predict",
                          json_pack("{s:[[i,i],[i,i],[i,i]]}", "in_spikes", 3, -1, -1, 3, -1, -1));
    json_t *expected = json_pack("[s,s,n]", "low", "high");
    ck_assert(json_equal(json_object_get(answer, "label"), expected));
    ck_assert_ptr_null(json_object_get(answer, "v"));
    json_decref(expected);
    json_decref(answer);
}
END_TEST

START_TEST(description_and_labels_can_be_changed)
{
    create_plain("plain");
    json_t *model =
        http_call(&server, 200, "PATCH", "/models/plain",
                  json_pack("{s:s, s:[s,s]}", "description", "Grüße", "labels", "a", "b"));
    json_t *expected = json_pack("[s,s]", "a", "b");
    ck_assert_str_eq(json_string_value(json_object_get(model, "description")), "Grüße");
    ck_assert(json_equal(json_object_get(model, "labels"), expected));
    json_decref(model);
    model = http_call(&server, 200, "PATCH", "/models/plain", json_pack("{s:n}", "labels"));
    ck_assert(json_is_null(json_object_get(model, "labels")));
    ck_assert_str_eq(json_string_value(json_object_get(model, "description")), "Grüße");
    json_decref(expected);
    json_decref(model);
}
END_TEST

START_TEST(a_deleted_model_is_gone_and_its_id_is_free)
{
    create_plain("plain");
    json_decref(http_call(&server, 204, "DELETE", "/models/plain", NULL));
    json_decref(http_call(&server, 404, "GET", "/models/plain", NULL));
    json_decref(http_call(&server, 404, "POST", "/models/plain/predict", json_object()));
    create_plain("plain");
    assert_version("/models/plain", 1);
}
END_TEST

START_TEST(models_survive_a_restart)
{
    create_plain("plain");
    json_decref(train("/models/plain/train", small_order(3)));
    char *before = text_of("/models/plain/weights", "weight");
    service_restart(&server);
    char *after = text_of("/models/plain/weights", "weight");
    ck_assert_str_eq(before, after);
    assert_version("/models/plain", 2);
    free(after);
    free(before);
}
END_TEST

/* --- the rest --- */

/* Ten samples whose labels one epoch can't learn: accuracies are between 0 and 1. */
static json_t *ten_samples(double fraction, int seed)
{
    json_t *spikes = json_array(), *labels = json_array();
    for (int i = 0; i < 10; i++) {
        json_array_append_new(spikes, json_pack("[i, i]", i, i * i % 10));
        json_array_append_new(labels, json_integer(i % 2));
    }
    return json_pack("{s:o, s:o, s:i, s:i, s:f}", "in_spikes", spikes, "label", labels, "epochs", 1,
                     "seed", seed, "validation_fraction", fraction);
}

static json_t *samples_checksum(double fraction, int seed)
{
    json_t *run = train("/models/tenth/train", ten_samples(fraction, seed));
    json_t *checksum = json_incref(json_object_get(run, "samples_sha256"));
    json_decref(run);
    return checksum;
}

START_TEST(a_validation_fraction_sets_that_share_aside_by_the_seed)
{
    create_plain("tenth");
    json_t *run = train("/models/tenth/train", ten_samples(0.1, 1));
    const json_t *metrics = json_object_get(run, "metrics");
    const double accuracy = json_number_value(json_object_get(metrics, "accuracy"));
    const double validation = json_number_value(json_object_get(metrics, "validation_accuracy"));
    ck_assert(accuracy > 0 && accuracy < 1); /* of 9 samples, and of 1 */
    ck_assert_double_eq_tol(accuracy * 9, rint(accuracy * 9), 1e-9);
    ck_assert(validation == 0 || validation == 1);

    json_t *first = samples_checksum(0.1, 1), *second = samples_checksum(0.1, 2);
    ck_assert(json_equal(first, json_object_get(run, "samples_sha256")));
    ck_assert(!json_equal(first, second));
    json_decref(first);
    json_decref(second);
    json_decref(run);
}
END_TEST

START_TEST(patience_ends_a_run_early)
{
    create_plain("patient");
    json_t *order = ten_samples(0.5, 1);
    json_object_set_new(order, "epochs", json_integer(100000));
    json_object_set_new(order, "patience", json_integer(3));
    json_t *run = train("/models/patient/train", order);
    ck_assert_int_lt(json_integer_value(json_object_get(run, "epoch")), 100000);
    json_decref(run);
}
END_TEST

START_TEST(whole_numbers_may_be_written_as_reals_and_reals_as_whole_numbers)
{
    create_plain("reals");
    json_decref(train(
        "/models/reals/train",
        json_loads("{\"in_spikes\": [[0, 1.0]], \"label\": [1.0], \"epochs\": 2.0}", 0, NULL)));
    struct http_answer answer = http_send(&server, "POST", "/psp_kernel",
                                          "{\"t\": [1000000000000000000000000000000]}", NULL);
    ck_assert_int_eq(answer.status, 200);
    http_answer_finish(&answer);
}
END_TEST

/* --- real time, spike trains, and why --- */

static double number_at(const json_t *array, size_t row, size_t column)
{
    return json_number_value(json_array_get(json_array_get(array, row), column));
}

START_TEST(the_continuous_clock_answers_times_between_steps)
{
    create(json_pack("{s:s, s:i, s:i, s:i, s:i, s:f, s:s, s:[[i, f]]}", "id", "kink", "in_features",
                     2, "out_features", 1, "T", 200, "tau", 10, "tau_s", 2.5, "clock", "continuous",
                     "weight", 1, -0.4));
    json_t *answer =
        post("/models/kink/predict",
             json_loads("{\"in_spikes\": [[100, 102], [100.5, -1]], \"ret_type\": [\"v_max\", "
                        "\"spikes\", \"v\"]}",
                        0, NULL));
    const json_t *v_max = json_object_get(answer, "v_max");
    const json_t *spikes = json_object_get(answer, "spikes");
    ck_assert_double_eq_tol(number_at(v_max, 0, 0), 0.782, 1e-3);
    ck_assert_double_eq(number_at(spikes, 0, 0), -1);
    ck_assert_double_eq_tol(number_at(v_max, 1, 0), 1, 1e-6);
    const double t_peak = 10 * 2.5 / 7.5 * log(4);
    ck_assert_double_eq_tol(number_at(spikes, 1, 0), 100.5 + t_peak, 1e-4);
    ck_assert_uint_eq(
        json_array_size(json_array_get(json_array_get(json_object_get(answer, "v"), 0), 0)), 200);
    json_decref(answer);
}
END_TEST

/* Two spikes of one afferent are as good as one each of two afferents of the same weight. */
START_TEST(spike_trains_are_several_spikes_of_an_afferent)
{
    for (int continuous = 0; continuous < 2; continuous++) {
        const char *clock = continuous ? "continuous" : "grid";
        char path[2][64];
        for (int two = 0; two < 2; two++) {
            char id[32];
            snprintf(id, sizeof id, "%s-%d", clock, two);
            snprintf(path[two], sizeof path[two], "/models/%s/predict", id);
            create(json_pack("{s:s, s:i, s:i, s:i, s:s, s:[o]}", "id", id, "in_features", 1 + two,
                             "out_features", 1, "T", 40, "clock", clock, "weight",
                             two ? json_pack("[f, f]", 0.5, 0.5) : json_pack("[f]", 0.5)));
        }
        json_t *one = post(path[0], json_loads("{\"in_spikes\": [[[9, 2.5]]]}", 0, NULL));
        json_t *other = post(path[1], json_loads("{\"in_spikes\": [[9, 2.5]]}", 0, NULL));
        ck_assert_double_gt(number_at(json_object_get(one, "v_max"), 0, 0), 0.5);
        ck_assert_double_eq_tol(number_at(json_object_get(one, "v_max"), 0, 0),
                                number_at(json_object_get(other, "v_max"), 0, 0), 1e-6);
        json_decref(one);
        json_decref(other);
    }
}
END_TEST

START_TEST(spike_trains_are_trained_on)
{
    create_plain("trains");
    json_t *run = train("/models/trains/train",
                        json_loads("{\"in_spikes\": [[[1, 2], []], [[], [4, 5, 6]], [7, -1], [[],"
                                   " 8]], \"label\": [0, 1, 0, 1], \"epochs\": 300, \"optimizer\": "
                                   "\"adam\", \"learning_rate\": 0.05, \"loss\": \"margin\", "
                                   "\"margin_target\": 1.2, \"learning_rate_schedule\": \"cosine\","
                                   " \"weight_decay\": 0.001, \"validation_fraction\": 0.25}",
                                   0, NULL));
    const json_t *params = json_object_get(run, "params");
    ck_assert_double_eq_tol(json_number_value(json_object_get(params, "margin_target")), 1.2, 1e-6);
    ck_assert_double_eq(json_number_value(json_object_get(params, "margin_other")), 0.5);
    ck_assert_double_eq(json_number_value(json_object_get(params, "weight_decay")), 0.001);
    ck_assert_str_eq(json_string_value(json_object_get(params, "learning_rate_schedule")),
                     "cosine");
    ck_assert_double_eq(
        json_number_value(json_object_get(json_object_get(run, "metrics"), "accuracy")), 1);
    json_decref(run);
}
END_TEST

START_TEST(a_single_neurons_margin_is_above_its_threshold)
{
    create(json_pack("{s:s, s:i, s:i, s:i, s:[[i, i]]}", "id", "lone", "in_features", 2,
                     "out_features", 1, "T", 40, "weight", 2, -1));
    json_t *answer = post("/models/lone/predict",
                          json_loads("{\"in_spikes\": [[0, 0]], \"explain\": true}", 0, NULL));
    const json_t *first = json_array_get(json_object_get(answer, "explain"), 0);
    const json_t *contributions = json_object_get(first, "contributions");
    const double v_max = number_at(json_object_get(answer, "v_max"), 0, 0);
    ck_assert_double_eq_tol(json_number_value(json_object_get(first, "margin")), v_max - 1, 1e-6);
    for (size_t i = 0; i < 2; i++) /* the larger first, of either sign */
        ck_assert_double_eq_tol(
            json_number_value(json_object_get(json_array_get(contributions, i), "potential")),
            i == 0 ? 2 * v_max : -v_max, 1e-6);
    json_decref(answer);
}
END_TEST

START_TEST(trains_without_any_spike_are_trained_on)
{
    create_plain("silence");
    json_decref(train("/models/silence/train",
                      json_loads("{\"in_spikes\": [[[], []], [[], []]], \"label\": [0, 1], "
                                 "\"epochs\": 2}",
                                 0, NULL)));
}
END_TEST

START_TEST(the_margins_follow_even_the_highest_threshold)
{
    create(json_pack("{s:s, s:i, s:i, s:i, s:i}", "id", "high", "in_features", 2, "out_features", 2,
                     "T", 20, "v_threshold", 1000000));
    json_decref(train("/models/high/train",
                      json_loads("{\"in_spikes\": [[1, 2]], \"label\": [0], \"epochs\": 2, "
                                 "\"loss\": \"margin\"}",
                                 0, NULL)));
}
END_TEST

START_TEST(an_explanation_adds_up_to_the_peak)
{
    create(json_loads("{\"id\": \"why\", \"out_features\": 2, \"labels\": [\"low\", \"high\"], "
                      "\"T\": 60, \"encoder\": {\"type\": \"gaussian_tuning\", \"m\": 4, \"x_min\":"
                      " [0, 0], \"x_max\": [1, 1]}}",
                      0, NULL));
    json_t *answer =
        post("/models/why/predict",
             json_loads("{\"x\": [[0.2, 0.7], [1e9, 1e9]], \"explain\": true}", 0, NULL));
    const json_t *explain = json_object_get(answer, "explain");
    const json_t *first = json_array_get(explain, 0), *v_max = json_object_get(answer, "v_max");
    ck_assert(json_is_null(json_array_get(explain, 1)));
    const size_t output = (size_t)json_integer_value(json_object_get(first, "output"));
    double sum = 0, before = INFINITY;
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(first, "contributions"), index, item) {
        const double potential = json_number_value(json_object_get(item, "potential"));
        const json_int_t afferent = json_integer_value(json_object_get(item, "afferent"));
        ck_assert_double_le(fabs(potential), before);
        ck_assert_int_eq(json_integer_value(json_object_get(item, "feature")), afferent / 4);
        ck_assert_int_eq(json_integer_value(json_object_get(item, "neuron")), afferent % 4);
        before = fabs(potential);
        sum += potential;
    }
    ck_assert_uint_gt(index, 1);
    ck_assert_double_eq_tol(sum, number_at(v_max, 0, output), 1e-5);
    ck_assert_double_eq_tol(json_number_value(json_object_get(first, "margin")),
                            number_at(v_max, 0, output) - number_at(v_max, 0, 1 - output), 1e-6);
    json_decref(answer);
}
END_TEST

START_TEST(evaluation_tells_of_each_class)
{
    create(json_pack("{s:s, s:i, s:i, s:i, s:[[i, i], [i, i]]}", "id", "classes", "in_features", 2,
                     "out_features", 2, "T", 20, "weight", 1, 0, 0, 1));
    json_t *answer = post("/models/classes/evaluate",
                          json_loads("{\"in_spikes\": [[0, -1], [-1, 0], [0, -1], [-1, -1]], "
                                     "\"label\": [0, 1, 1, 1]}",
                                     0, NULL));
    json_t *expected =
        json_loads("[{\"label\": 0, \"support\": 1, \"precision\": 0.5, \"recall\": 1, \"f1\": "
                   "0.6666666666666666}, {\"label\": 1, \"support\": 3, \"precision\": 1, "
                   "\"recall\": 0.3333333333333333, \"f1\": 0.5}]",
                   0, NULL);
    char *text =
        json_dumps(json_object_get(answer, "classes"), JSON_COMPACT | JSON_REAL_PRECISION(6));
    char *wanted = json_dumps(expected, JSON_COMPACT | JSON_REAL_PRECISION(6));
    ck_assert_str_eq(text, wanted);
    free(text);
    free(wanted);
    json_decref(expected);
    json_decref(answer);
}
END_TEST

START_TEST(the_longest_request_id_is_echoed_and_longer_ones_are_not)
{
    char header[5100] = "X-Request-Id: ";
    const size_t name = strlen(header);
    const size_t lengths[] = {128, 129, 5000};
    for (size_t i = 0; i < 3; i++) {
        memset(header + name, 'a', lengths[i]);
        header[name + lengths[i]] = '\0';
        struct http_answer answer = http_send(&server, "GET", "/health/live", NULL, header, NULL);
        ck_assert_int_eq(answer.status, 200);
        ck_assert_int_eq(strcmp(http_header(&answer, "x-request-id"), header + name) == 0, i == 0);
        http_answer_finish(&answer);
    }
}
END_TEST

START_TEST(a_request_id_is_echoed_or_made_up)
{
    struct http_answer echoed =
        http_send(&server, "GET", "/health/live", NULL, "X-Request-Id: a.B_c~1-2", NULL);
    struct http_answer one = http_send(&server, "GET", "/health/live", NULL, NULL);
    struct http_answer two =
        http_send(&server, "GET", "/health/live", NULL, "X-Request-Id: no spaces", NULL);
    ck_assert_str_eq(http_header(&echoed, "x-request-id"), "a.B_c~1-2");
    const char *made = http_header(&one, "x-request-id");
    ck_assert_uint_eq(strlen(made), 16);
    ck_assert_uint_eq(strspn(made, "0123456789abcdef"), 16);
    ck_assert_uint_eq(strspn(http_header(&two, "x-request-id"), "0123456789abcdef"), 16);
    ck_assert_str_ne(made, http_header(&two, "x-request-id"));
    http_answer_finish(&two);
    http_answer_finish(&one);
    http_answer_finish(&echoed);
}
END_TEST

START_TEST(health_and_contract_are_served)
{
    char *live = text_of("/health/live", "status"), *ready = text_of("/health/ready", "status");
    ck_assert_str_eq(live, "\"live\"");
    ck_assert_str_eq(ready, "\"ready\"");
    struct http_answer contract = http_send(&server, "GET", "/openapi.yaml", NULL, NULL);
    ck_assert_int_eq(contract.status, 200);
    ck_assert_str_eq(http_header(&contract, "content-type"), "application/yaml");
    ck_assert_ptr_nonnull(strstr(contract.body, "openapi: 3.1"));
    http_answer_finish(&contract);
    free(ready);
    free(live);
}
END_TEST

START_TEST(head_answers_like_get_without_a_body)
{
    create_plain("plain");
    struct http_answer got = http_send(&server, "GET", "/models/plain", NULL, NULL);
    struct http_answer head = http_send(&server, "HEAD", "/models/plain", NULL, NULL);
    ck_assert_int_eq(head.status, 200);
    ck_assert_uint_eq(head.size, 0);
    ck_assert_str_eq(http_header(&head, "content-length"), http_header(&got, "content-length"));
    http_answer_finish(&head);
    http_answer_finish(&got);
}
END_TEST

static Suite *service_suite(void)
{
    const TTest *const all[] = {
        encode_answers_golden_spike_times,
        a_models_encoder_answers_golden_spike_times,
        psp_kernel_answers_golden,
        mse_loss_answers_golden,
        predictions_equal_golden,
        training_takes_torchs_steps,
        iris_is_learned_over_http,
        training_twice_gives_the_same_bits,
        a_run_is_reported_and_publishes_a_version,
        a_run_is_accepted_before_it_ends,
        a_cancelled_run_publishes_nothing,
        runs_are_listed_by_model_and_state,
        a_model_is_shown_as_it_was_created,
        a_model_without_id_is_given_one,
        models_are_listed_in_pages_newest_first,
        imported_weights_become_a_version_and_come_out_again,
        the_served_version_goes_back_and_forth,
        an_older_version_predicts_by_its_path,
        labels_are_answered_by_name_and_null_where_nothing_spiked,
        description_and_labels_can_be_changed,
        a_deleted_model_is_gone_and_its_id_is_free,
        models_survive_a_restart,
        a_validation_fraction_sets_that_share_aside_by_the_seed,
        patience_ends_a_run_early,
        whole_numbers_may_be_written_as_reals_and_reals_as_whole_numbers,
        the_continuous_clock_answers_times_between_steps,
        spike_trains_are_several_spikes_of_an_afferent,
        spike_trains_are_trained_on,
        a_single_neurons_margin_is_above_its_threshold,
        trains_without_any_spike_are_trained_on,
        the_margins_follow_even_the_highest_threshold,
        an_explanation_adds_up_to_the_peak,
        evaluation_tells_of_each_class,
        the_longest_request_id_is_echoed_and_longer_ones_are_not,
        a_request_id_is_echoed_or_made_up,
        health_and_contract_are_served,
        head_answers_like_get_without_a_body,
    };
    Suite *suite = suite_create("service");
    TCase *tests = tcase_create("service");
    tcase_set_timeout(tests, 2 * SERVICE_SECONDS);
    tcase_add_checked_fixture(tests, start_server, stop_server);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tcase_add_test(tests, all[i]);
    suite_add_tcase(suite, tests);
    return suite;
}

int main(void)
{
    return suite_run(service_suite());
}
