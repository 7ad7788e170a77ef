#include "tests/support/runs.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/client.h"
#include "tests/support/contract.h"
#include "tests/support/datasets.h"

enum { ASK_AGAIN_MS = 5 };

/* The contract lists each code that a run fails with. */
static void expect_listed_error(const json_t *run)
{
    const json_t *error = json_object_get(run, "error"), *code;
    if (!json_is_object(error))
        return;
    if (contract.document == NULL)
        contract_read();
    const json_t *schemas = contract_at(contract_at(contract.document, "components"), "schemas");
    const json_t *properties = contract_at(contract_at(schemas, "RunError"), "properties");
    const json_t *listed = contract_at(contract_at(properties, "code"), "enum");
    size_t i;
    json_array_foreach(listed, i, code)
        if (json_equal(code, json_object_get(error, "code")))
            return;
    ck_abort_msg("RunError does not list \"%s\"", member_string(error, "code"));
}

/* --- orders --- */

struct http_answer run_order(const struct service *service, const char *model, json_t *order,
                             const char *header)
{
    char path[128];
    char *text = json_dumps(order, JSON_COMPACT);
    snprintf(path, sizeof path, "/models/%s/train", model);
    const struct http_answer answer = http_send(service, "POST", path, text, header, NULL);
    json_decref(order);
    free(text);
    return answer;
}

json_int_t run_queue(const struct service *service, const char *model, json_t *order)
{
    struct http_answer answer = run_order(service, model, order, "Prefer: respond-async");
    ck_assert_msg(answer.status == 202, "%ld: %s", answer.status, answer.body);
    const json_int_t run = member_integer(answer.json, "id");
    http_answer_finish(&answer);
    return run;
}

json_t *run_finish(const struct service *service, const char *model, json_t *order)
{
    struct http_answer answer = run_order(service, model, order, "Prefer: wait=600");
    ck_assert_msg(answer.status == 200, "%ld: %s", answer.status, answer.body);
    json_t *run = json_incref(answer.json);
    expect_listed_error(run);
    http_answer_finish(&answer);
    return run;
}

json_t *run_succeed(const struct service *service, const char *model, json_t *order)
{
    json_t *run = run_finish(service, model, order);
    ck_assert_str_eq(member_string(run, "state"), "succeeded");
    return run;
}

json_t *run_cancel(const struct service *service, json_int_t id, long status)
{
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld/cancel", (long long)id);
    return http_call(service, status, "POST", path, NULL);
}

/* --- how far a run has come --- */

json_t *run_get(const struct service *service, json_int_t id)
{
    char path[64];
    snprintf(path, sizeof path, "/runs/%lld", (long long)id);
    json_t *run = http_get(service, path);
    expect_listed_error(run);
    return run;
}

bool run_has_begun(const json_t *run)
{
    return member_integer(run, "epoch") > 0;
}

bool run_is_running(const json_t *run)
{
    return strcmp(member_string(run, "state"), "running") == 0;
}

bool run_has_ended(const json_t *run)
{
    return json_is_string(json_object_get(run, "finished_at"));
}

json_t *run_await(const struct service *service, json_int_t id, bool (*is_so)(const json_t *run))
{
    for (int patience = service_patience(); patience > 0; patience -= ASK_AGAIN_MS) {
        json_t *run = run_get(service, id);
        if (is_so(run))
            return run;
        json_decref(run);
        poll(NULL, 0, ASK_AGAIN_MS);
    }
    ck_abort_msg("run %lld does not come so far", (long long)id);
    return NULL;
}

void run_await_begun(const struct service *service, json_int_t id)
{
    json_t *run = run_await(service, id, run_has_begun);
    ck_assert_str_eq(member_string(run, "state"), "running");
    json_decref(run);
}

/* The milliseconds of the day in "2026-11-24T08:30:00.125Z". */
long run_time(const json_t *run, const char *name)
{
    int hours, minutes, seconds, milliseconds;
    ck_assert_int_eq(sscanf(member_string(run, name), "%*10[^T]T%2d:%2d:%2d.%3dZ", &hours, &minutes,
                            &seconds, &milliseconds),
                     4);
    return ((hours * 60L + minutes) * 60 + seconds) * 1000 + milliseconds;
}

/* Longer runs, until one is not faster than the end of the server. Returns its epochs. */
static int interrupt_run(struct service *service, const struct run_recipe *recipe,
                         void (*end)(struct service *service), char model[RUN_MODEL],
                         json_int_t *ret_run)
{
    for (int epochs = 100;; epochs *= 3) {
        ck_assert_int_le(epochs, RUN_ENDLESS);
        snprintf(model, RUN_MODEL, "ended-%d", epochs);
        recipe->create(service, model);
        *ret_run = run_queue(service, model, recipe->order(epochs));
        json_decref(run_await(service, *ret_run, run_has_begun));
        end(service);
        const bool interrupted =
            number_in_database(service, "SELECT count(*) FROM runs WHERE finished_at IS NULL") == 1;
        service_restart(service);
        if (interrupted)
            return epochs;
    }
}

json_int_t run_survives(struct service *service, const struct run_recipe *recipe,
                        void (*end)(struct service *service), char model[RUN_MODEL],
                        char calm[RUN_MODEL])
{
    json_int_t id;
    const int epochs = interrupt_run(service, recipe, end, model, &id);
    json_t *run = run_await(service, id, run_has_ended);
    ck_assert_str_eq(member_string(run, "state"), "succeeded");
    ck_assert_int_eq(member_integer(run, "epoch"), epochs);
    json_decref(run);
    snprintf(calm, RUN_MODEL, "calm-%d", epochs);
    recipe->create(service, calm);
    json_decref(run_succeed(service, calm, recipe->order(epochs)));
    expect_equal_weights(service, calm, model);
    return id;
}

/* --- what came of it --- */

void expect_equal_weights(const struct service *service, const char *one, const char *other)
{
    char path[128];
    snprintf(path, sizeof path, "/models/%s/weights", one);
    json_t *expected = http_get(service, path);
    snprintf(path, sizeof path, "/models/%s/weights", other);
    json_t *found = http_get(service, path);
    ck_assert(json_is_array(json_object_get(expected, "weight")));
    json_object_update_new(found,
                           json_pack("{s:O, s:O}", "model", json_object_get(expected, "model"),
                                     "version", json_object_get(expected, "version")));
    ck_assert(json_equal(expected, found));
    json_decref(expected);
    json_decref(found);
}

void expect_equal_metrics(const struct service *service, json_int_t one, json_int_t other)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT (SELECT count(*) FROM metrics a FULL JOIN metrics b ON a.epoch = b.epoch AND "
             "a.run = %lld AND b.run = %lld AND a.loss = b.loss AND a.accuracy = b.accuracy AND "
             "a.validation_loss IS b.validation_loss AND a.validation_accuracy IS "
             "b.validation_accuracy WHERE (a.run IS NULL AND b.run = %lld) OR (b.run IS NULL AND "
             "a.run = %lld))",
             (long long)one, (long long)other, (long long)other, (long long)one);
    ck_assert_int_eq(number_in_database(service, sql), 0);
}

json_t *run_small_order(int epochs)
{
    return json_pack("{s:[[i,i],[i,i]], s:[i,i], s:i}", "in_spikes", 1, 5, 5, 1, "label", 0, 1,
                     "epochs", epochs);
}
