/* The service over time: runs that outlive the process, waiting, cancelling, and versions that
 * switch under load. The real binary is asked over real HTTP, killed and stopped.
 *
 * That a run has come so far is no event that HTTP could tell, so it is asked for again and again;
 * everything else is waited for where it happens. */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/http.h"
#include "support/service.h"
#include "support/suite.h"

enum {
    AFFERENTS = 8,
    CLASSES = 3,
    SAMPLES = 120,
    STEPS = 100,
    ENDLESS = 100000, /* epochs: far longer than a test lasts */
    WAIT = 600,
    ASK_AGAIN_MS = 10
};

static struct service service;

static void set_up(void)
{
    static const char *const flags[] = {"--workers", "2", "--log", "errors", NULL};
    service_start(&service, flags);
}

static void tear_down(void)
{
    service_finish(&service);
}

/* --- models, runs and predictions --- */

static json_t *patterns(size_t count)
{
    json_t *batch = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *sample = json_array();
        for (size_t j = 0; j < AFFERENTS; j++)
            json_array_append_new(sample,
                                  json_integer((json_int_t)(37 * i + 13 * j + i * j) % STEPS));
        json_array_append_new(batch, sample);
    }
    return batch;
}

static json_t *labels(size_t count)
{
    json_t *batch = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(batch, json_integer((json_int_t)(i % CLASSES)));
    return batch;
}

static void create_model(const char *id)
{
    json_decref(http_call(&service, 201, "POST", "/models",
                          json_pack("{s:s, s:i, s:i, s:i, s:i}", "id", id, "in_features", AFFERENTS,
                                    "out_features", CLASSES, "T", STEPS, "seed", 7)));
}

static json_t *order(int epochs, int seed)
{
    return json_pack("{s:o, s:o, s:i, s:i, s:i, s:f, s:s, s:s}", "in_spikes", patterns(SAMPLES),
                     "label", labels(SAMPLES), "epochs", epochs, "seed", seed, "batch_size", 16,
                     "learning_rate", 0.01, "optimizer", "adam", "loss", "cross_entropy");
}

/* POST /models/{id}/train; takes the body. */
static struct http_answer train(const char *model, json_t *body, const char *header)
{
    char path[128];
    char *text = json_dumps(body, JSON_COMPACT);
    snprintf(path, sizeof path, "/models/%s/train", model);
    const struct http_answer answer = http_send(&service, "POST", path, text, header, NULL);
    json_decref(body);
    free(text);
    return answer;
}

static json_int_t integer(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    ck_assert_msg(json_is_integer(value), "%s is no integer", key);
    return json_integer_value(value);
}

static const char *string(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    ck_assert_msg(value != NULL, "%s is no string", key);
    return value;
}

/* The run's number, answered 202; takes the body. */
static json_int_t queue_order(const char *model, json_t *body)
{
    struct http_answer answer = train(model, body, "Prefer: respond-async");
    ck_assert_msg(answer.status == 202, "%ld: %s", answer.status, answer.body);
    const json_int_t run = integer(answer.json, "id");
    http_answer_finish(&answer);
    return run;
}

static json_int_t queue_run(const char *model, int epochs)
{
    return queue_order(model, order(epochs, 1));
}

/* The finished run, answered 200. */
static json_t *finish_run(const char *model, json_t *body)
{
    char header[64];
    snprintf(header, sizeof header, "Prefer: wait=%d", WAIT);
    struct http_answer answer = train(model, body, header);
    ck_assert_msg(answer.status == 200, "%ld: %s", answer.status, answer.body);
    json_t *run = json_incref(answer.json);
    http_answer_finish(&answer);
    return run;
}

static json_t *get_run(json_int_t run)
{
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld", (long long)run);
    return http_call(&service, 200, "GET", path, NULL);
}

static bool has_begun(const json_t *run)
{
    return integer(run, "epoch") > 0;
}

static bool is_running(const json_t *run)
{
    return strcmp(string(run, "state"), "running") == 0;
}

static bool has_ended(const json_t *run)
{
    return json_is_string(json_object_get(run, "finished_at"));
}

/* The run, once it is so. */
static json_t *await_run(json_int_t id, bool (*is_so)(const json_t *run))
{
    for (int patience = service_patience(); patience > 0; patience -= ASK_AGAIN_MS) {
        json_t *run = get_run(id);
        if (is_so(run))
            return run;
        json_decref(run);
        poll(NULL, 0, ASK_AGAIN_MS);
    }
    ck_abort_msg("run %lld does not come so far", (long long)id);
    return NULL;
}

static void await_begun(json_int_t id)
{
    json_t *run = await_run(id, has_begun);
    ck_assert_str_eq(string(run, "state"), "running");
    json_decref(run);
}

static json_t *cancel_run(json_int_t run, long status)
{
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld/cancel", (long long)run);
    return http_call(&service, status, "POST", path, NULL);
}

/* What one pattern makes of the model: of a version, or with 0 of the one served. */
static json_t *predict(const char *model, json_int_t version)
{
    char path[160], of_version[64] = "";
    if (version > 0)
        snprintf(of_version, sizeof of_version, "/versions/%lld", (long long)version);
    snprintf(path, sizeof path, "/models/%s%s/predict", model, of_version);
    return http_call(&service, 200, "POST", path,
                     json_pack("{s:o, s:s}", "in_spikes", patterns(1), "ret_type", "v_max"));
}

static json_int_t served_version(const char *model)
{
    json_t *answer = predict(model, 0);
    const json_int_t version = integer(answer, "version");
    json_decref(answer);
    return version;
}

/* --- crashes --- */

START_TEST(a_run_answered_202_survives_a_kill)
{
    create_model("a");
    create_model("b");
    const json_int_t first = queue_run("a", 20), second = queue_run("a", 20);
    const json_int_t third = queue_run("b", 20);
    service_kill(&service);
    service_restart(&service);
    const json_int_t ids[] = {first, second, third}, versions[] = {2, 3, 2};
    for (size_t i = 0; i < 3; i++) {
        json_t *run = await_run(ids[i], has_ended);
        ck_assert_str_eq(string(run, "state"), "succeeded");
        ck_assert_int_eq(integer(run, "epoch"), 20);
        ck_assert_int_eq(integer(run, "version"), versions[i]);
        json_decref(run);
    }
    ck_assert_int_eq(served_version("a"), 3);
    ck_assert_int_eq(served_version("b"), 2);
}
END_TEST

/* Milliseconds of "2026-11-24T08:30:00.125Z" in its day: runs of a test are short. */
static long time_of_day(const char *text)
{
    int hours, minutes, seconds, milliseconds;
    ck_assert_int_eq(
        sscanf(text, "%*10[^T]T%2d:%2d:%2d.%3dZ", &hours, &minutes, &seconds, &milliseconds), 4);
    return ((hours * 60L + minutes) * 60 + seconds) * 1000 + milliseconds;
}

/* Trains models calm-EPOCHS until one took long enough to be killed in its middle. */
static int epochs_of_a_while(void)
{
    enum { DAY = 86400000, LEAST_MS = 1000 };
    for (int epochs = 50;; epochs *= 3) {
        char model[64];
        snprintf(model, sizeof model, "calm-%d", epochs);
        create_model(model);
        json_t *run = finish_run(model, order(epochs, 1));
        ck_assert_str_eq(string(run, "state"), "succeeded");
        const long taken =
            time_of_day(string(run, "finished_at")) - time_of_day(string(run, "started_at"));
        json_decref(run);
        if ((taken + DAY) % DAY >= LEAST_MS)
            return epochs;
    }
}

static void expect_equal_weights(const char *calm, const char *killed)
{
    char path[128];
    snprintf(path, sizeof path, "/models/%s/weights", calm);
    struct http_answer expected = http_send(&service, "GET", path, NULL, NULL);
    snprintf(path, sizeof path, "/models/%s/weights", killed);
    struct http_answer found = http_send(&service, "GET", path, NULL, NULL);
    ck_assert_int_eq(expected.status, 200);
    ck_assert_int_eq(found.status, 200);
    ck_assert(json_is_array(json_object_get(expected.json, "weight")));
    ck_assert(json_equal(json_object_get(expected.json, "weight"),
                         json_object_get(found.json, "weight")));
    http_answer_finish(&expected);
    http_answer_finish(&found);
}

static json_t *newest_version(const char *model)
{
    char path[128];
    snprintf(path, sizeof path, "/models/%s/versions?limit=1", model);
    json_t *list = http_call(&service, 200, "GET", path, NULL);
    json_t *newest = json_incref(json_array_get(json_object_get(list, "versions"), 0));
    ck_assert_ptr_nonnull(newest);
    json_decref(list);
    return newest;
}

START_TEST(a_run_killed_in_its_middle_ends_with_the_same_bits)
{
    char calm[64];
    const int epochs = epochs_of_a_while();
    snprintf(calm, sizeof calm, "calm-%d", epochs);
    create_model("killed");
    const json_int_t id = queue_run("killed", epochs);
    await_begun(id);
    service_kill(&service);
    service_restart(&service);
    json_t *run = await_run(id, has_ended);
    ck_assert_str_eq(string(run, "state"), "succeeded");
    ck_assert_int_eq(integer(run, "epoch"), epochs);
    json_decref(run);

    expect_equal_weights(calm, "killed");
    json_t *expected = newest_version(calm), *found = newest_version("killed");
    ck_assert_int_eq(integer(found, "version"), 2);
    ck_assert_int_eq(integer(found, "run"), id);
    ck_assert_str_eq(string(found, "sha256"), string(expected, "sha256"));
    json_decref(expected);
    json_decref(found);
}
END_TEST

START_TEST(a_stop_interrupts_a_run_that_the_next_start_takes_up)
{
    create_model("a");
    const json_int_t id = queue_run("a", ENDLESS);
    await_begun(id);
    service_restart(&service);
    await_begun(id);
    json_decref(cancel_run(id, 202));
    json_t *run = await_run(id, has_ended);
    ck_assert_str_eq(string(run, "state"), "cancelled");
    json_decref(run);
}
END_TEST

START_TEST(a_cancellation_survives_a_kill)
{
    create_model("a");
    const json_int_t running = queue_run("a", ENDLESS), queued = queue_run("a", ENDLESS);
    await_begun(running);
    json_decref(cancel_run(queued, 202));
    json_decref(cancel_run(running, 202));
    service_kill(&service);
    service_restart(&service);
    const json_int_t ids[] = {running, queued};
    for (size_t i = 0; i < 2; i++) {
        json_t *run = get_run(ids[i]);
        ck_assert_str_eq(string(run, "state"), "cancelled");
        ck_assert(has_ended(run));
        json_decref(run);
    }
}
END_TEST

/* --- waiting and cancelling --- */

START_TEST(waiting_answers_200_with_the_finished_run)
{
    create_model("a");
    struct http_answer answer = train("a", order(5, 1), "Prefer: wait=600");
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(string(answer.json, "state"), "succeeded");
    ck_assert_int_eq(integer(answer.json, "epoch"), 5);
    ck_assert_int_eq(integer(answer.json, "version"), 2);
    ck_assert_str_eq(http_header(&answer, "location"), "/runs/1");
    ck_assert_str_eq(http_header(&answer, "preference-applied"), "wait=600");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(waiting_in_vain_answers_202_with_the_run_so_far)
{
    create_model("a");
    struct http_answer answer = train("a", order(ENDLESS, 1), "Prefer: wait=1");
    ck_assert_int_eq(answer.status, 202);
    ck_assert_str_eq(string(answer.json, "state"), "running");
    ck_assert_str_eq(http_header(&answer, "location"), "/runs/1");
    ck_assert_str_eq(http_header(&answer, "preference-applied"), "wait=1");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(without_a_wish_to_wait_the_answer_is_202)
{
    create_model("a");
    struct http_answer answer = train("a", order(5, 1), NULL);
    ck_assert_int_eq(answer.status, 202);
    ck_assert_ptr_null(http_header(&answer, "preference-applied"));
    ck_assert_str_eq(http_header(&answer, "location"), "/runs/1");
    http_answer_finish(&answer);
}
END_TEST

START_TEST(a_queued_run_is_cancelled_at_once)
{
    create_model("a");
    const json_int_t running = queue_run("a", ENDLESS), queued = queue_run("a", ENDLESS);
    json_t *run = cancel_run(queued, 202);
    ck_assert_str_eq(string(run, "state"), "cancelled");
    ck_assert(json_is_null(json_object_get(run, "started_at")));
    ck_assert(has_ended(run));
    json_decref(run);
    json_t *problem = cancel_run(queued, 409);
    ck_assert_str_eq(string(problem, "code"), "run_ended");
    json_decref(problem);
    await_begun(running);
}
END_TEST

START_TEST(a_running_run_is_cancelled_and_publishes_nothing)
{
    create_model("a");
    const json_int_t id = queue_run("a", ENDLESS);
    await_begun(id);
    json_decref(cancel_run(id, 202));
    json_t *run = await_run(id, has_ended);
    ck_assert_str_eq(string(run, "state"), "cancelled");
    ck_assert_int_lt(integer(run, "epoch"), ENDLESS);
    ck_assert(json_is_null(json_object_get(run, "version")));
    ck_assert(json_is_null(json_object_get(run, "error")));
    json_decref(run);
    ck_assert_int_eq(served_version("a"), 1);
    json_decref(cancel_run(id, 409));
}
END_TEST

/* A model whose voltages are beyond what a float holds. */
static void create_overflowing_model(const char *id)
{
    json_t *weight = json_array();
    for (size_t i = 0; i < CLASSES; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < AFFERENTS; j++)
            json_array_append_new(row, json_real(3e38));
        json_array_append_new(weight, row);
    }
    json_decref(http_call(&service, 201, "POST", "/models",
                          json_pack("{s:s, s:i, s:i, s:i, s:o}", "id", id, "in_features", AFFERENTS,
                                    "out_features", CLASSES, "T", STEPS, "weight", weight)));
}

/* One batch that would take far longer than anybody's patience. */
static json_int_t queue_long_batch(void)
{
    enum { LONG = 50000 };
    json_t *samples = json_array(), *classes = json_array();
    json_decref(http_call(&service, 201, "POST", "/models",
                          json_pack("{s:s, s:i, s:i, s:i}", "id", "long", "in_features", 1,
                                    "out_features", 160, "T", 100000)));
    for (int i = 0; i < LONG; i++) {
        json_array_append_new(samples, json_pack("[i]", 0));
        json_array_append_new(classes, json_integer(i % 160));
    }
    const json_int_t run = queue_order("long", json_pack("{s:o, s:o, s:i}", "in_spikes", samples,
                                                         "label", classes, "batch_size", LONG));
    json_decref(await_run(run, is_running));
    return run;
}

START_TEST(a_cancellation_ends_a_long_batch)
{
    const json_int_t run = queue_long_batch();
    json_decref(cancel_run(run, 202));
    json_t *ended = await_run(run, has_ended);
    ck_assert_str_eq(string(ended, "state"), "cancelled");
    json_decref(ended);
}
END_TEST

START_TEST(a_stop_ends_a_long_batch)
{
    queue_long_batch();
    service_stop(&service);
}
END_TEST

START_TEST(a_diverging_run_fails_and_publishes_nothing)
{
    create_overflowing_model("a");
    json_t *run = finish_run("a", order(100, 1));
    ck_assert_str_eq(string(run, "state"), "failed");
    ck_assert_str_eq(string(json_object_get(run, "error"), "code"), "diverged");
    ck_assert(json_is_null(json_object_get(run, "version")));
    json_decref(run);
    json_t *newest = newest_version("a");
    ck_assert_int_eq(integer(newest, "version"), 1);
    json_decref(newest);
    json_decref(http_call(&service, 200, "GET", "/health/ready", NULL));
}
END_TEST

START_TEST(runs_of_a_model_queue_and_start_from_the_former_ones_version)
{
    create_model("queued");
    create_model("by-turns");
    queue_run("queued", 30);
    json_t *last = finish_run("queued", order(30, 1));
    ck_assert_int_eq(integer(last, "version"), 3);
    json_t *first = get_run(1);
    ck_assert_int_eq(integer(first, "version"), 2);
    ck_assert_int_le(time_of_day(string(first, "finished_at")),
                     time_of_day(string(last, "started_at")));
    json_decref(first);
    json_decref(last);
    json_decref(finish_run("by-turns", order(30, 1)));
    json_decref(finish_run("by-turns", order(30, 1)));
    expect_equal_weights("by-turns", "queued");
    json_t *second = newest_version("queued");
    ck_assert_int_eq(integer(second, "version"), 3);
    json_decref(second);
}
END_TEST

START_TEST(runs_of_two_models_train_at_the_same_time)
{
    create_model("a");
    create_model("b");
    const json_int_t first = queue_run("a", ENDLESS), second = queue_run("b", ENDLESS);
    await_begun(first);
    await_begun(second);
    json_decref(cancel_run(first, 202));
    json_decref(cancel_run(second, 202));
}
END_TEST

/* --- a store that is full --- */

enum { WIDE = 65536, WIDE_CLASSES = 4, WIDE_BYTES = 4 * WIDE * WIDE_CLASSES };

/* A sample of a model whose weights are far larger than a run's metrics. */
static json_t *wide_order(int epochs)
{
    json_t *sample = json_array();
    for (size_t i = 0; i < WIDE; i++)
        json_array_append_new(sample, json_integer((json_int_t)(i % 10)));
    return json_pack("{s:[o], s:[i], s:i}", "in_spikes", sample, "label", 0, "epochs", epochs);
}

/* Nothing can be written behind the first so many bytes of a file: as if the disk were full. */
static void limit_files(rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(prlimit(service.pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* How large the database's log is. */
static rlim_t log_size(void)
{
    char path[SERVICE_PATH + 8];
    struct stat file;
    snprintf(path, sizeof path, "%s-wal", service.database);
    ck_assert_int_eq(stat(path, &file), 0);
    return (rlim_t)file.st_size;
}

static void await_readiness(long status)
{
    for (;;) {
        struct http_answer answer = http_send(&service, "GET", "/health/ready", NULL, NULL);
        const long seen = answer.status;
        http_answer_finish(&answer);
        if (seen == status)
            return;
        poll(NULL, 0, ASK_AGAIN_MS);
    }
}

START_TEST(a_run_whose_end_finds_no_room_ends_once_there_is_some)
{
    json_decref(http_call(&service, 201, "POST", "/models",
                          json_pack("{s:s, s:i, s:i, s:i}", "id", "wide", "in_features", WIDE,
                                    "out_features", WIDE_CLASSES, "T", 20)));
    const json_int_t ahead = queue_order("wide", wide_order(ENDLESS));
    const json_int_t run = queue_order("wide", wide_order(1));
    await_begun(ahead);
    limit_files(log_size() + WIDE_BYTES / 2);
    json_decref(cancel_run(ahead, 202));
    json_decref(await_run(run, is_running));
    limit_files(1); /* now the server can't write at all, and knows it */
    await_readiness(503);
    json_t *waiting = get_run(run);
    ck_assert_str_eq(string(waiting, "state"), "running");
    json_decref(waiting);

    limit_files(RLIM_INFINITY);
    await_readiness(200);
    json_t *ended = await_run(run, has_ended);
    ck_assert_str_eq(string(ended, "state"), "succeeded");
    ck_assert_int_eq(integer(ended, "version"), 2);
    json_decref(ended);
}
END_TEST

/* --- serving meanwhile --- */

START_TEST(predictions_go_on_while_a_run_trains)
{
    enum { PREDICTIONS = 100 };
    create_model("a");
    json_t *before = predict("a", 0);
    const json_int_t id = queue_run("a", ENDLESS);
    await_begun(id);
    for (int i = 0; i < PREDICTIONS; i++) {
        json_t *answer = predict("a", 0);
        ck_assert(json_equal(answer, before));
        json_decref(answer);
    }
    json_t *run = get_run(id);
    ck_assert_str_eq(string(run, "state"), "running");
    json_decref(run);
    json_decref(before);
}
END_TEST

enum { HAMMERS = 4, VERSIONS = 15 };

/* One client that predicts until it is told to stop. */
struct hammer {
    pthread_t thread;
    atomic_bool *done;
    json_t *seen[VERSIONS + 2]; /* by version: the first answer */
};

static void *hammer(void *argument)
{
    struct hammer *self = argument;
    json_int_t newest = 1;
    while (!atomic_load(self->done)) {
        json_t *answer = predict("a", 0);
        const json_int_t version = integer(answer, "version");
        ck_assert_msg(version >= newest && version <= VERSIONS + 1, "version %lld after %lld",
                      (long long)version, (long long)newest);
        newest = version;
        json_t **seen = &self->seen[version];
        if (*seen == NULL)
            *seen = json_incref(answer);
        ck_assert_msg(json_equal(*seen, answer), "two answers of version %lld", (long long)version);
        json_decref(answer);
    }
    return NULL;
}

static void expect_whole_version(json_t *const seen, json_int_t version)
{
    if (seen == NULL)
        return;
    json_t *expected = predict("a", version);
    ck_assert_int_eq(integer(expected, "version"), version);
    ck_assert_msg(json_equal(seen, expected), "an answer of version %lld is not its own",
                  (long long)version);
    json_decref(expected);
    json_decref(seen);
}

START_TEST(versions_switch_in_one_step)
{
    atomic_bool done = false;
    struct hammer hammers[HAMMERS] = {0};
    create_model("a");
    for (size_t i = 0; i < HAMMERS; i++) {
        hammers[i].done = &done;
        ck_assert_int_eq(pthread_create(&hammers[i].thread, NULL, hammer, &hammers[i]), 0);
    }
    for (int i = 0; i < VERSIONS; i++) {
        json_t *run = finish_run("a", order(2, i));
        ck_assert_int_eq(integer(run, "version"), i + 2);
        ck_assert_int_eq(served_version("a"), i + 2);
        json_decref(run);
    }
    atomic_store(&done, true);
    for (size_t i = 0; i < HAMMERS; i++) {
        pthread_join(hammers[i].thread, NULL);
        for (int version = 1; version <= VERSIONS + 1; version++)
            expect_whole_version(hammers[i].seen[version], version);
    }
    json_t *first = predict("a", 1), *last = predict("a", VERSIONS + 1);
    ck_assert(!json_equal(json_object_get(first, "v_max"), json_object_get(last, "v_max")));
    json_decref(first);
    json_decref(last);
}
END_TEST

/* --- stopping --- */

static int connect_to_service(void)
{
    const int connection = http_connect(&service);
    ck_assert_int_ge(connection, 0);
    return connection;
}

static void send_text(int connection, const char *text, size_t size)
{
    ck_assert_int_eq(send(connection, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Reads a head, or with `to_close` all until the server closes. */
static void read_answer(int connection, bool to_close, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    while (to_close || strstr(text, "\r\n\r\n") == NULL) {
        struct pollfd event = {.fd = connection, .events = POLLIN};
        ck_assert_int_eq(poll(&event, 1, service_patience()), 1);
        ck_assert_uint_lt(used + 1, size);
        const ssize_t piece = recv(connection, text + used, size - 1 - used, 0);
        ck_assert_msg(piece >= 0, "the answer was cut: %s", strerror(errno));
        if (piece == 0)
            return;
        used += (size_t)piece;
        text[used] = '\0';
    }
}

/* Whether the answer has status 200 and a body as long as it says. */
static bool is_whole(const char *answer)
{
    size_t length;
    const char *header = strcasestr(answer, "\r\ncontent-length:");
    const char *body = strstr(answer, "\r\n\r\n");
    return strncmp(answer, "HTTP/1.1 200 ", 13) == 0 && header != NULL && body != NULL &&
           sscanf(header + 17, "%zu", &length) == 1 && strlen(body + 4) == length;
}

enum { HALF_SENT = 16 };

START_TEST(a_stop_lets_requests_end_that_have_begun)
{
    int connections[HALF_SENT];
    char head[256], answer[4096];
    create_model("a");
    json_t *json = json_pack("{s:o, s:s}", "in_spikes", patterns(3), "ret_type", "v_max");
    char *body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    const size_t half = strlen(body) / 2;
    const int head_size = snprintf(head, sizeof head,
                                   "POST /models/a/predict HTTP/1.1\r\nHost: localhost\r\n"
                                   "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n",
                                   strlen(body));
    for (size_t i = 0; i < HALF_SENT; i++) {
        connections[i] = connect_to_service();
        send_text(connections[i], head, (size_t)head_size);
        read_answer(connections[i], false, answer, sizeof answer);
        ck_assert_int_eq(strncmp(answer, "HTTP/1.1 100 ", 13), 0);
        send_text(connections[i], body, half);
    }
    ck_assert_int_eq(kill(service.pid, SIGTERM), 0);
    for (size_t i = 0; i < HALF_SENT; i++) {
        send_text(connections[i], body + half, strlen(body) - half);
        read_answer(connections[i], true, answer, sizeof answer);
        ck_assert_msg(is_whole(answer), "%s", answer);
        close(connections[i]);
    }
    free(body);
    const int status = service_wait(&service);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

static void *wait_for_run(void *argument)
{
    struct http_answer *answer = argument;
    *answer = train("a", order(ENDLESS, 1), "Prefer: wait=600");
    return NULL;
}

static void await_first_run(void)
{
    for (size_t count = 0; count == 0;) {
        json_t *runs = http_call(&service, 200, "GET", "/runs", NULL);
        count = json_array_size(json_object_get(runs, "runs"));
        json_decref(runs);
    }
}

START_TEST(a_stop_answers_who_waits_for_a_run)
{
    pthread_t waiter;
    struct http_answer answer;
    create_model("a");
    ck_assert_int_eq(pthread_create(&waiter, NULL, wait_for_run, &answer), 0);
    await_first_run();
    await_begun(1);
    service_stop(&service);
    pthread_join(waiter, NULL);
    ck_assert_int_eq(answer.status, 202);
    ck_assert_str_eq(string(answer.json, "state"), "running");
    http_answer_finish(&answer);
}
END_TEST

/* One client that asks, each time over a new connection, until none can be had. */
struct visitor {
    pthread_t thread;
    atomic_uint *answered; /* by all of them together */
    const char *body;
};

static void *visit(void *argument)
{
    const struct visitor *self = argument;
    for (;;) {
        struct http_answer answer =
            http_send(&service, "POST", "/models/a/predict", self->body, NULL);
        const long status = answer.status;
        ck_assert_msg(status == 200 || (status == 0 && strstr(answer.body, "connect") != NULL),
                      "%ld: %s", status, answer.body);
        http_answer_finish(&answer);
        if (status == 0)
            return NULL;
        atomic_fetch_add(self->answered, 1);
    }
}

START_TEST(a_stop_under_load_cuts_no_request)
{
    enum { VISITORS = 8, ENOUGH = 200 };
    atomic_uint answered = 0;
    struct visitor visitors[VISITORS];
    create_model("a");
    queue_run("a", ENDLESS);
    json_t *json = json_pack("{s:o}", "in_spikes", patterns(3));
    char *body = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    for (size_t i = 0; i < VISITORS; i++) {
        visitors[i] = (struct visitor){.answered = &answered, .body = body};
        ck_assert_int_eq(pthread_create(&visitors[i].thread, NULL, visit, &visitors[i]), 0);
    }
    while (atomic_load(&answered) < ENOUGH)
        sched_yield();
    service_stop(&service);
    for (size_t i = 0; i < VISITORS; i++)
        pthread_join(visitors[i].thread, NULL);
    free(body);
}
END_TEST

/* --- clients that go, or never come to an end --- */

/* Whether the server closes the connection before patience ends. */
static bool is_closed(int connection)
{
    char byte;
    struct pollfd event = {.fd = connection, .events = POLLIN};
    return poll(&event, 1, service_patience()) == 1 && recv(connection, &byte, 1, 0) <= 0;
}

START_TEST(a_client_that_goes_in_the_middle_of_its_body_is_let_go)
{
    static const char begin[] = "POST /psp_kernel HTTP/1.1\r\nHost: localhost\r\n"
                                "Content-Length: 100\r\n\r\n{\"t\"";
    const int connection = http_connect(&service);
    ck_assert_int_eq(send(connection, begin, sizeof begin - 1, 0), sizeof begin - 1);
    ck_assert_int_eq(shutdown(connection, SHUT_WR), 0);
    ck_assert(is_closed(connection));
    close(connection);
}
END_TEST

START_TEST(a_request_that_trickles_in_is_cut_off)
{
    static const char *const flags[] = {"--request-timeout", "1", "--log", "errors", NULL};
    struct service strict;
    service_start(&strict, flags);
    const int connection = http_connect(&strict);
    struct pollfd event = {.fd = connection, .events = POLLIN};
    int sent = 0;
    while (poll(&event, 1, 50) == 0 && sent < service_patience() / 50) {
        send(connection, sent == 0 ? "GET /health/live?" : "x", sent == 0 ? 17 : 1, MSG_NOSIGNAL);
        sent++;
    }
    ck_assert(is_closed(connection));
    close(connection);
    service_finish(&strict);
}
END_TEST

/* --- the database's file --- */

START_TEST(the_database_is_its_owners_alone)
{
    struct stat file;
    ck_assert_int_eq(stat(service.database, &file), 0);
    ck_assert_uint_eq(file.st_mode & 0777, 0600);
}
END_TEST

static void expect_status(long status, const char *method, const char *path, const char *body)
{
    struct http_answer answer = http_send(&service, method, path, body, NULL);
    ck_assert_msg(answer.status == status, "%s %s: %ld %s", method, path, answer.status,
                  answer.body);
    http_answer_finish(&answer);
}

START_TEST(a_damaged_version_can_be_left_and_replaced)
{
    static const char pattern[] = "{\"in_spikes\": [[0,1,2,3,4,5,6,7]]}";
    create_model("a");
    json_decref(finish_run("a", order(1, 1)));
    service_stop(&service);
    sqlite3 *db;
    ck_assert_int_eq(sqlite3_open(service.database, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db,
                                  "UPDATE tensors SET data = zeroblob(length(data)) "
                                  "WHERE version = 2",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(db);
    service_restart(&service);
    expect_status(500, "POST", "/models/a/predict", pattern);
    expect_status(200, "POST", "/models/a/versions/1/predict", pattern);
    expect_status(404, "POST", "/models/a/versions/3/predict", pattern);
    expect_status(200, "PATCH", "/models/a", "{\"version\": 1}");
    expect_status(200, "POST", "/models/a/predict", pattern);
    expect_status(200, "PATCH", "/models/a", "{\"version\": 2}");
    expect_status(200, "PUT", "/models/a/weights",
                  "{\"weight\": [[0,0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0],[0,0,0,0,0,0,0,0]]}");
    expect_status(200, "POST", "/models/a/predict", pattern);
}
END_TEST

/* --- healthcheck --- */

static int healthcheck(void)
{
    int status;
    const char *program = getenv("TEMPOTROND");
    const pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        execl(program != NULL ? program : "build/tempotrond", "tempotrond", "--healthcheck",
              "--listen", service.address, NULL);
        _exit(127);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

START_TEST(the_healthcheck_tells_a_ready_server_from_none)
{
    ck_assert_int_eq(healthcheck(), 0);
    service_stop(&service);
    ck_assert_int_eq(healthcheck(), 1);
}
END_TEST

static TCase *test_case(const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 2 * SERVICE_SECONDS);
    return tests;
}

static TCase *run_tests(void)
{
    TCase *tests = test_case("runs");
    tcase_add_test(tests, a_run_answered_202_survives_a_kill);
    tcase_add_test(tests, a_run_killed_in_its_middle_ends_with_the_same_bits);
    tcase_add_test(tests, a_stop_interrupts_a_run_that_the_next_start_takes_up);
    tcase_add_test(tests, a_cancellation_survives_a_kill);
    tcase_add_test(tests, waiting_answers_200_with_the_finished_run);
    tcase_add_test(tests, waiting_in_vain_answers_202_with_the_run_so_far);
    tcase_add_test(tests, without_a_wish_to_wait_the_answer_is_202);
    tcase_add_test(tests, a_queued_run_is_cancelled_at_once);
    tcase_add_test(tests, a_running_run_is_cancelled_and_publishes_nothing);
    tcase_add_test(tests, a_cancellation_ends_a_long_batch);
    tcase_add_test(tests, a_stop_ends_a_long_batch);
    tcase_add_test(tests, a_diverging_run_fails_and_publishes_nothing);
    tcase_add_test(tests, runs_of_a_model_queue_and_start_from_the_former_ones_version);
    tcase_add_test(tests, runs_of_two_models_train_at_the_same_time);
    tcase_add_test(tests, a_run_whose_end_finds_no_room_ends_once_there_is_some);
    return tests;
}

static TCase *serving_tests(void)
{
    TCase *tests = test_case("serving and stopping");
    tcase_add_test(tests, predictions_go_on_while_a_run_trains);
    tcase_add_test(tests, versions_switch_in_one_step);
    tcase_add_test(tests, a_stop_lets_requests_end_that_have_begun);
    tcase_add_test(tests, a_stop_answers_who_waits_for_a_run);
    tcase_add_test(tests, a_stop_under_load_cuts_no_request);
    tcase_add_test(tests, a_client_that_goes_in_the_middle_of_its_body_is_let_go);
    tcase_add_test(tests, a_request_that_trickles_in_is_cut_off);
    tcase_add_test(tests, the_database_is_its_owners_alone);
    tcase_add_test(tests, a_damaged_version_can_be_left_and_replaced);
    tcase_add_test(tests, the_healthcheck_tells_a_ready_server_from_none);
    return tests;
}

int main(void)
{
    Suite *suite = suite_create("durability");
    suite_add_tcase(suite, run_tests());
    suite_add_tcase(suite, serving_tests());
    return suite_run(suite);
}
