/* The runs: list, show, metrics, cancel. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "server/api/handlers.h"
#include "server/api/page.h"
#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/compute/trainer.h"
#include "server/model/errors.h"
#include "server/store/pool.h"
#include "server/store/queue.h"
#include "server/store/runs.h"

static void write_metrics(struct buffer *json, const struct epoch_metrics *metrics)
{
    json_write_member_double(json, "loss", metrics->loss);
    json_write_member_double(json, "accuracy", metrics->accuracy);
    json_write_member_double(json, "validation_loss", metrics->validation_loss);
    json_write_member_double(json, "validation_accuracy", metrics->validation_accuracy);
}

static void write_error(struct buffer *json, const struct run_record *record)
{
    if (record->error_code[0] == '\0') {
        json_write_null(json);
        return;
    }
    json_write_object_begin(json);
    json_write_member_string(json, "code", record->error_code);
    json_write_member_string(json, "detail", record->error_detail);
    json_write_object_end(json);
}

static void write_kept_versions(struct buffer *json, const char *kept)
{
    if (kept == NULL)
        return;
    json_write_key(json, "kept_versions");
    json_write_raw(json, kept);
}

static void write_run(struct buffer *json, const struct run_record *record)
{
    static const struct epoch_metrics none = {
        .loss = NAN, .accuracy = NAN, .validation_loss = NAN, .validation_accuracy = NAN};
    json_write_object_begin(json);
    json_write_member_integer(json, "id", record->id);
    json_write_member_string(json, "model", record->model);
    json_write_member_string(json, "state", run_state_names[record->state]);
    json_write_member_integer(json, "epoch", record->epoch);
    json_write_member_integer(json, "epochs", record->epochs);
    if (record->continues != 0)
        json_write_member_integer(json, "continues", record->continues);
    if (record->best_epoch != 0)
        json_write_member_integer(json, "best_epoch", record->best_epoch);
    json_write_key(json, "params");
    json_write_raw(json, record->params);
    json_write_key(json, "metrics");
    json_write_object_begin(json);
    write_metrics(json, record->metrics.epoch > 0 ? &record->metrics : &none);
    json_write_object_end(json);
    json_write_member_positive(json, "base_version", record->base_version);
    json_write_member_positive(json, "version", record->version);
    write_kept_versions(json, record->kept);
    json_write_member_string(json, "samples_sha256", record->samples_sha256);
    json_write_member_string(json, "dataset", record->dataset[0] != '\0' ? record->dataset : NULL);
    json_write_key(json, "error");
    write_error(json, record);
    json_write_member_timestamp(json, "created_at", record->created_at);
    json_write_member_timestamp(json, "started_at", record->started_at);
    json_write_member_timestamp(json, "finished_at", record->finished_at);
    json_write_object_end(json);
}

enum store_status runs_find(struct service *service, int64_t run, struct run_record *ret_record)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status != STORE_OK)
        return status;
    status = store_run_find(store, run, ret_record);
    store_pool_return_reader(service->stores, store);
    return status;
}

static void show_run(struct service *service, int64_t run, struct reply *reply)
{
    struct run_record record;
    if (!errors_run_ok(runs_find(service, run, &record), run, &reply->problem))
        return;
    write_run(&reply->body, &record);
    run_record_finish(&record);
}

void runs_get(struct service *service, const struct request *request, struct reply *reply)
{
    show_run(service, request->run, reply);
}

/* --- waiting for an end --- */

static bool has_ended(struct service *service, int64_t run)
{
    struct run_record record;
    if (runs_find(service, run, &record) != STORE_OK)
        return true;
    const bool ended = record.state != RUN_QUEUED && record.state != RUN_RUNNING;
    run_record_finish(&record);
    return ended;
}

static void answer_run(struct service *service, int64_t run, bool ended, struct reply *reply)
{
    reply->status = ended ? 200 : 202;
    snprintf(reply->location, sizeof reply->location, "/runs/%lld", (long long)run);
    show_run(service, run, reply);
}

static void finish_waiting(struct service *service, const struct request *request,
                           struct reply *reply)
{
    const struct queued_run *run = request->state;
    reply->waited_seconds = request->wait_seconds;
    answer_run(service, run->id, has_ended(service, run->id), reply);
}

void runs_answer_queued(struct service *service, const struct request *request,
                        const struct queued_run *run, struct reply *reply)
{
    if (request->wait_seconds > 0)
        reply_wait(reply, finish_waiting, request->wait_seconds, run->id, has_ended);
    else
        answer_run(service, run->id, false, reply);
}

/* --- listing --- */

static bool read_state(const struct request *request, struct problem *problem, int *state)
{
    const char *name = request_query(request, "state");
    *state = -1;
    if (name == NULL)
        return true;
    for (int i = 0; run_state_names[i] != NULL; i++)
        if (strcmp(name, run_state_names[i]) == 0)
            *state = i;
    if (*state < 0)
        problem_add_parameter(problem, PROBLEM_INVALID_PARAMETER, "state",
                              "state is queued, running, succeeded, failed or cancelled.");
    return *state >= 0;
}

static const struct page_kind runs_page = {runs_list, "runs", sizeof(struct run_record),
                                           LIMIT_PAGE_DEFAULT, NULL};

void runs_list(struct service *service, const struct request *request, struct reply *reply)
{
    int state;
    size_t i;
    struct page page;
    const char *model = request_query(request, "model");
    if (!read_state(request, &reply->problem, &state) ||
        !page_begin(&page, service, request, &runs_page, reply))
        return;
    struct run_record *records = page.records;
    const enum store_status status =
        store_run_list(page.store, model, state, page.cursor, page.limit, records, &page.count);
    if (page_is_listed(&page,
                       errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, model, &reply->problem)))
        while (page_takes(&page, &i))
            if (page_shows(&page, records[i].model[0] != '\0'))
                write_run(&reply->body, &records[i]);
    const int64_t last = page.listed > 0 ? records[page.listed - 1].id : 0;
    for (i = 0; i < page.count; i++)
        run_record_finish(&records[i]);
    page_end(&page, last);
}

/* --- metrics --- */

static void write_epoch(struct buffer *json, const struct epoch_metrics *metrics)
{
    json_write_object_begin(json);
    json_write_member_integer(json, "epoch", metrics->epoch);
    write_metrics(json, metrics);
    json_write_object_end(json);
}

static const struct page_kind metrics_page = {runs_metrics, "metrics", sizeof(struct epoch_metrics),
                                              LIMIT_PAGE, NULL};

void runs_metrics(struct service *service, const struct request *request, struct reply *reply)
{
    size_t i;
    struct page page;
    if (!page_begin(&page, service, request, &metrics_page, reply))
        return;
    struct epoch_metrics *metrics = page.records;
    const enum store_status status =
        store_run_metrics(page.store, request->run, page.cursor, page.limit, metrics, &page.count);
    if (page_is_listed(&page, errors_run_ok(status, request->run, &reply->problem)))
        while (page_takes(&page, &i))
            write_epoch(&reply->body, &metrics[i]);
    page_end(&page, page.listed > 0 ? metrics[page.listed - 1].epoch : 0);
}

/* --- cancelling --- */

void runs_cancel(struct service *service, const struct request *request, struct reply *reply)
{
    enum run_state state;
    struct store *store = store_pool_borrow_writer(service->stores);
    const enum store_status status = store_pool_return_writer(
        service->stores, store_queue_cancel(store, request->run, timestamp_now(), &state));
    if (!errors_run_ok(status, request->run, &reply->problem))
        return;
    trainer_cancel(service->trainer, request->run, state == RUN_CANCELLED);
    reply->status = 202;
    show_run(service, request->run, reply);
}
