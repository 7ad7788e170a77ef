/* The datasets: put an array or a table, list, show, delete. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/api/array_upload.h"
#include "server/api/handlers.h"
#include "server/api/page.h"
#include "server/base/timestamp.h"
#include "server/files/array_file.h"
#include "server/files/csv_file.h"
#include "server/model/errors.h"
#include "server/service.h"
#include "server/store/datasets.h"
#include "server/store/pool.h"

/* --- showing --- */

static void write_array(struct json_writer *json, const char *key, const struct array_record *array)
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
static void write_dataset(struct json_writer *json, const struct dataset_record *record)
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

static void answer_dataset(struct service *service, const char *id, unsigned status,
                           struct reply *reply)
{
    struct dataset_record record;
    if (!errors_store_ok(datasets_find(service, id, &record), PROBLEM_DATASET_NOT_FOUND, id,
                         &reply->problem))
        return;
    write_dataset(&reply->json, &record);
    dataset_record_finish(&record);
    reply_with(reply, status);
}

void datasets_get(struct service *service, const struct request *request, struct reply *reply)
{
    answer_dataset(service, request->dataset, 200, reply);
}

void datasets_list(struct service *service, const struct request *request, struct reply *reply)
{
    struct page page;
    if (!page_begin(&page, service, request, LIMIT_PAGE_DEFAULT, sizeof(struct dataset_record),
                    reply))
        return;
    struct dataset_record *records = page.records;
    const enum store_status status =
        store_dataset_list(page.store, page.cursor, page.limit, records, &page.count);
    if (page_is_listed(&page, status, PROBLEM_DATASET_NOT_FOUND, "", "datasets"))
        for (size_t i = 0; i < page.count; i++)
            write_dataset(&reply->json, &records[i]);
    const int64_t last = page.count > 0 ? records[page.count - 1].sequence : 0;
    for (size_t i = 0; i < page.count; i++)
        dataset_record_finish(&records[i]);
    page_end(&page, last);
}

/* --- putting --- */

static bool succeeded(enum store_status status, const char *id, struct problem *problem)
{
    if (status != STORE_IN_USE)
        return errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, id, problem);
    return problem_set(problem, PROBLEM_DATASET_IN_USE,
                       "A run that uses %s is queued or running: cancel it or wait for its end.",
                       id);
}

/* Puts the arrays into the dataset, and answers with it. */
static bool publish(struct service *service, const char *id, const struct dataset_change *change,
                    struct reply *reply)
{
    bool created;
    struct store *store = store_pool_borrow_writer(service->stores);
    const enum store_status status = store_pool_return_writer(
        service->stores, store_dataset_put(store, id, change, timestamp_now(), &created));
    if (!succeeded(status, id, &reply->problem))
        return false;
    if (created)
        snprintf(reply->location, sizeof reply->location, "/datasets/%s", id);
    answer_dataset(service, id, created ? 201 : 200, reply);
    return true;
}

/* Checks that all labels of a chunk are classes, and raises *classes above them. */
static bool check_labels(const struct array_layout *layout, const void *values, size_t count,
                         size_t before, size_t *classes, struct problem *problem)
{
    int32_t *label = malloc(count * sizeof *label);
    if (label == NULL)
        return problem_set_no_memory(problem);
    size_t good = dtype_to_label(layout->dtype, values, count, label);
    for (size_t i = 0; i < good; i++) {
        if (label[i] >= LIMIT_OUT_FEATURES)
            good = i;
        else if ((size_t)label[i] >= *classes)
            *classes = (size_t)label[i] + 1;
    }
    free(label);
    if (good < count)
        problem_set(problem, PROBLEM_LABEL_OUT_OF_RANGE,
                    "The label at index %zu is not a class: labels are whole numbers from 0 to %d.",
                    before + good, LIMIT_OUT_FEATURES - 1);
    return good == count;
}

/* Copies the file into the store. *classes: NULL for samples, otherwise one more than the largest
 * label. */
static bool upload_file(struct array_file *file, struct array_upload *upload, size_t *classes,
                        struct problem *problem)
{
    const struct array_layout *layout = array_file_layout(file);
    const size_t size = dtype_size(layout->dtype);
    size_t bytes, before = 0;
    bool uploaded = false;
    char *chunk = malloc(ARRAY_UPLOAD_CHUNK);
    if (chunk == NULL)
        problem_set_no_memory(problem);
    while (chunk != NULL && array_file_read(file, chunk, ARRAY_UPLOAD_CHUNK, &bytes, problem)) {
        uploaded = bytes == 0;
        if (uploaded ||
            (classes != NULL &&
             !check_labels(layout, chunk, bytes / size, before, classes, problem)) ||
            !array_upload_add(upload, chunk, bytes, problem))
            break;
        before += bytes / size;
    }
    free(chunk);
    return uploaded;
}

static bool check_layout(const struct array_layout *layout, bool is_label, struct problem *problem)
{
    if (is_label && layout->features != 1)
        problem_set(problem, PROBLEM_WRONG_SHAPE,
                    "Labels are one number a sample, but these are %zu.", layout->features);
    if (layout->features > LIMIT_FEATURES)
        problem_set(problem, PROBLEM_TOO_LARGE,
                    "A sample may have at most %d features, but these have %zu.", LIMIT_FEATURES,
                    layout->features);
    return !problem_is_set(problem);
}

static void put_array(struct service *service, const struct request *request, bool is_label,
                      struct reply *reply)
{
    size_t classes = 0;
    bool is_published = false;
    struct problem *problem = &reply->problem;
    struct array_upload upload = {0};
    struct array_file *file = array_file_create(request->file, service->max_dataset_bytes, problem);
    if (file == NULL)
        return;
    const struct array_layout *layout = array_file_layout(file);
    if (check_layout(layout, is_label, problem) &&
        array_upload_begin(&upload, service->stores, layout->dtype, layout->features, problem) &&
        upload_file(file, &upload, is_label ? &classes : NULL, problem)) {
        array_upload_end(&upload);
        const struct dataset_change change = {.x = is_label ? NULL : &upload.array,
                                              .label = is_label ? &upload.array : NULL,
                                              .classes = classes};
        is_published = publish(service, request->dataset, &change, reply);
    }
    array_upload_finish(&upload, is_published);
    array_file_destroy(file);
}

void datasets_put_x(struct service *service, const struct request *request, struct reply *reply)
{
    put_array(service, request, false, reply);
}

void datasets_put_label(struct service *service, const struct request *request, struct reply *reply)
{
    put_array(service, request, true, reply);
}

/* --- tables --- */

/* A table on its way into a dataset. */
struct table {
    struct csv_file *file;
    size_t features;
    bool has_labels;
    size_t count;        /* rows */
    struct buffer codes; /* int32_t [count], if there are labels */
    struct array_upload x;
    struct array_upload label;
};

static int32_t *codes_of(const struct table *table)
{
    return table->codes.items;
}

static bool upload_rows(struct table *table, struct problem *problem)
{
    const size_t row = table->features * sizeof(float);
    const size_t max = row < ARRAY_UPLOAD_CHUNK ? ARRAY_UPLOAD_CHUNK / row : 1;
    size_t rows = max;
    float *chunk = malloc(max * row);
    if (chunk == NULL)
        problem_set_no_memory(problem);
    while (chunk != NULL && rows == max) {
        int32_t *codes = NULL;
        if (table->has_labels && !buffer_reserve(&table->codes, max * sizeof *codes)) {
            problem_set_no_memory(problem);
            break;
        }
        if (table->has_labels)
            codes = codes_of(table) + table->count;
        if (!csv_file_read(table->file, chunk, max, codes, &rows, problem) ||
            (rows > 0 && !array_upload_add(&table->x, chunk, rows * row, problem)))
            break;
        table->count += rows;
        table->codes.size += table->has_labels ? rows * sizeof *codes : 0;
    }
    free(chunk);
    return !problem_is_set(problem);
}

static char *names_text(const struct csv_classes *classes)
{
    struct buffer text = {0};
    struct json_writer json = json_writer_to(&text);
    json_write_array_begin(&json);
    for (size_t i = 0; i < classes->count; i++)
        json_write_string(&json, classes->name[i]);
    json_write_array_end(&json);
    return buffer_take_string(&text);
}

/* Uploads the labels when all are known. *ret_names: free() */
static bool upload_labels(struct table *table, struct service *service, size_t *ret_classes,
                          char **ret_names, struct problem *problem)
{
    struct csv_classes classes;
    size_t largest = 0;
    if (!csv_file_classes(table->file, &classes, problem))
        return false;
    int32_t *codes = codes_of(table);
    for (size_t i = 0; i < table->count; i++) {
        codes[i] = classes.of_code[codes[i]];
        if ((size_t)codes[i] > largest)
            largest = (size_t)codes[i];
    }
    if (largest >= LIMIT_OUT_FEATURES)
        return problem_set(problem, PROBLEM_LABEL_OUT_OF_RANGE, "A label may be at most %d.",
                           LIMIT_OUT_FEATURES - 1);
    if (!array_upload_begin(&table->label, service->stores, DTYPE_I4, 1, problem))
        return false;
    for (size_t done = 0, size; done < table->count; done += size) {
        const size_t max = ARRAY_UPLOAD_CHUNK / sizeof *codes;
        size = table->count - done < max ? table->count - done : max;
        if (!array_upload_add(&table->label, codes + done, size * sizeof *codes, problem))
            return false;
    }
    array_upload_end(&table->label);
    *ret_classes = largest + 1;
    *ret_names = classes.count > 0 ? names_text(&classes) : NULL;
    if (*ret_names == NULL && classes.count > 0)
        problem_set_no_memory(problem);
    return !problem_is_set(problem);
}

static bool publish_table(struct service *service, const char *id, struct table *table,
                          struct reply *reply)
{
    char *names = NULL;
    struct problem *problem = &reply->problem;
    struct dataset_change change = {.x = &table->x.array, .replaces = true};
    if (!array_upload_begin(&table->x, service->stores, DTYPE_F4, table->features, problem) ||
        !upload_rows(table, problem))
        return false;
    array_upload_end(&table->x);
    if (table->has_labels) {
        if (!upload_labels(table, service, &change.classes, &names, problem))
            return false;
        change.label = &table->label.array;
        change.names = names;
    }
    const bool is_published = publish(service, id, &change, reply);
    free(names);
    return is_published;
}

void datasets_put_table(struct service *service, const struct request *request, struct reply *reply)
{
    const char *label = request_query(request, "label");
    struct table table = {.has_labels = label != NULL};
    table.file = csv_file_create(request->file, label, service->max_dataset_bytes, &reply->problem);
    if (table.file == NULL)
        return;
    table.features = csv_file_features(table.file);
    const bool is_published = publish_table(service, request->dataset, &table, reply);
    array_upload_finish(&table.x, is_published);
    array_upload_finish(&table.label, is_published);
    buffer_finish(&table.codes);
    csv_file_destroy(table.file);
}

void datasets_delete(struct service *service, const struct request *request, struct reply *reply)
{
    struct store *store = store_pool_borrow_writer(service->stores);
    const enum store_status status =
        store_pool_return_writer(service->stores, store_dataset_delete(store, request->dataset));
    if (succeeded(status, request->dataset, &reply->problem))
        reply_with(reply, 204);
}
