/* The datasets: list, show, delete. */
#include "server/store/datasets.h"
#include "server/api/etag.h"
#include "server/api/handlers.h"
#include "server/api/page.h"
#include "server/api/service.h"
#include "server/model/errors.h"
#include "server/store/pool.h"
#include "server/store/sizes.h"

static void write_array(struct buffer *json, const char *key, const struct array_record *array)
{
    json_write_key(json, key);
    if (array->id == 0) {
        json_write_null(json);
        return;
    }
    json_write_object_begin(json);
    json_write_member_string(json, "dtype", dtype_name(array->dtype));
    json_write_key(json, "shape");
    json_write_array_begin(json);
    json_write_integer(json, (int64_t)array->count);
    json_write_integer(json, (int64_t)array->features);
    json_write_array_end(json);
    json_write_member_integer(json, "bytes", (int64_t)array->bytes);
    json_write_member_string(json, "sha256", array->sha256);
    json_write_object_end(json);
}

/* Writes what x and label have in common, or what the only one of them has. */
static void write_dataset(struct buffer *json, const struct dataset_record *record)
{
    const bool has_x = record->x.id != 0;
    json_write_object_begin(json);
    json_write_member_string(json, "id", record->id);
    json_write_member_integer(json, "count",
                              (int64_t)(has_x ? record->x.count : record->label.count));
    json_write_member_positive(json, "features", (int64_t)record->x.features);
    json_write_member_string(json, "dtype", has_x ? dtype_name(record->x.dtype) : NULL);
    json_write_member_positive(json, "classes", (int64_t)record->classes);
    json_write_key(json, "labels");
    json_write_raw(json, record->names != NULL ? record->names : "null");
    if (record->is_abridged) {
        json_write_key(json, "abridged");
        json_write_boolean(json, true);
    }
    json_write_member_string(json, "sha256", record->sha256[0] != '\0' ? record->sha256 : NULL);
    json_write_member_integer(json, "bytes", (int64_t)(record->x.bytes + record->label.bytes));
    write_array(json, "x", &record->x);
    write_array(json, "label", &record->label);
    json_write_member_timestamp(json, "created_at", record->created_at);
    json_write_member_timestamp(json, "updated_at", record->updated_at);
    json_write_object_end(json);
}

enum store_status datasets_find(struct service *service, const char *id,
                                struct dataset_record *ret_record)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status != STORE_OK)
        return status;
    status = store_dataset_find(store, id, ret_record);
    store_pool_return_reader(service->stores, store);
    return status;
}

static bool is_large(struct service *service, const char *id)
{
    struct store *store;
    if (store_pool_borrow_reader(service->stores, &store) != STORE_OK)
        return false;
    const size_t bytes = store_size_of_dataset(store, id);
    store_pool_return_reader(service->stores, store);
    return bytes > LIMIT_INLINE_BODY;
}

void datasets_get(struct service *service, const struct request *request, struct reply *reply)
{
    struct dataset_record record;
    if (request->team == NULL && is_large(service, request->dataset)) {
        reply_continue(reply, datasets_get, WORK_FOR_POOL);
        return;
    }
    if (!errors_store_ok(datasets_find(service, request->dataset, &record),
                         PROBLEM_DATASET_NOT_FOUND, request->dataset, &reply->problem))
        return;
    etag_of_dataset(&record, reply);
    write_dataset(&reply->body, &record);
    dataset_record_finish(&record);
}

static const struct page_kind datasets_page = {datasets_list, "datasets",
                                               sizeof(struct dataset_record), LIMIT_PAGE_DEFAULT,
                                               store_size_of_datasets};

void datasets_list(struct service *service, const struct request *request, struct reply *reply)
{
    size_t i;
    struct page page;
    if (!page_begin(&page, service, request, &datasets_page, reply))
        return;
    struct dataset_record *records = page.records;
    const enum store_status status =
        store_dataset_list(page.store, page.cursor, page.limit, records, &page.count);
    if (page_is_listed(&page,
                       errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, "", &reply->problem)))
        while (page_takes(&page, &i))
            if (page_shows(&page, records[i].id[0] != '\0'))
                write_dataset(&reply->body, &records[i]);
    const int64_t last = page.listed > 0 ? records[page.listed - 1].sequence : 0;
    for (i = 0; i < page.count; i++)
        dataset_record_finish(&records[i]);
    page_end(&page, last);
}

void datasets_delete(struct service *service, const struct request *request, struct reply *reply)
{
    struct store *store = store_pool_borrow_writer(service->stores);
    enum store_status status = etag_check_dataset(store, request);
    if (status == STORE_OK)
        status = store_dataset_delete(store, request->dataset);
    store_pool_return_writer(service->stores, status);
    if (status == STORE_OK)
        store_pool_sweep(service->stores);
    if (errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, request->dataset, &reply->problem))
        reply->status = 204;
}
