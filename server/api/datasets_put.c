/* Datasets that are put: an array or a table becomes chunks in the store, and then a dataset. */
#include <stdio.h>
#include <stdlib.h>

#include "server/api/etag.h"
#include "server/api/handlers.h"
#include "server/api/service.h"
#include "server/base/checksum.h"
#include "server/base/timestamp.h"
#include "server/files/array_file.h"
#include "server/files/csv_file.h"
#include "server/model/errors.h"
#include "server/model/labels_json.h"
#include "server/store/arrays.h"
#include "server/store/datasets.h"
#include "server/store/pool.h"

enum { UPLOAD_CHUNK = 4 * 1024 * 1024 }; /* bytes that one write adds at most */

/* --- an array on its way into the store --- */

/* What one that fails has written, and what one replaces, belongs to nothing then, and is swept
 * piece by piece; if others go on meanwhile, after the last of them. */
struct upload {
    struct store_pool *stores; /* borrowed */
    const struct stop_check *stop_check;
    struct checksum checksum;
    size_t chunks;
    struct array_record array; /* what the store knows of it; complete after upload_end() */
};

static bool end_write(struct upload *upload, enum store_status status, struct problem *problem)
{
    store_pool_return_writer(upload->stores, status);
    return errors_store_ok(status, PROBLEM_INTERNAL, "array", problem);
}

static bool upload_begin(struct upload *upload, struct service *service,
                         const struct request *request, enum dtype dtype, size_t features,
                         struct problem *problem)
{
    struct store_pool *stores = service->stores;
    *upload = (struct upload){.stores = stores,
                              .stop_check = request->stop_check,
                              .array = {.dtype = dtype, .features = features}};
    checksum_init(&upload->checksum);
    store_pool_sweep(stores); /* what was left when the disk was full */
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status = store_array_begin(store, &upload->array, &upload->array.id);
    if (status == STORE_OK)
        store_pool_uploads(stores)->going_on++;
    return end_write(upload, status, problem);
}

static bool upload_add(struct upload *upload, const void *rows, size_t bytes,
                       struct problem *problem)
{
    if (stop_check_requested(upload->stop_check))
        return errors_core_ok(CORE_STOPPED, problem);
    checksum_add(&upload->checksum, rows, bytes);
    upload->array.bytes += bytes;
    struct store *store = store_pool_borrow_writer(upload->stores);
    return end_write(upload,
                     store_array_append(store, upload->array.id, upload->chunks++, rows, bytes),
                     problem);
}

/* All rows are there: the record is complete, and may become part of a dataset. */
static void upload_end(struct upload *upload)
{
    struct array_record *array = &upload->array;
    array->count = array->bytes / dtype_size(array->dtype) / array->features;
    checksum_finish(&upload->checksum, array->sha256);
}

/* Does nothing on a zeroed upload. */
static void upload_finish(struct upload *upload)
{
    if (upload->array.id == 0)
        return;
    store_pool_borrow_writer(upload->stores);
    store_pool_uploads(upload->stores)->going_on--;
    store_pool_return_writer(upload->stores, STORE_NOT_FOUND); /* which says nothing of the disk */
    *upload = (struct upload){0};
}

/* --- arrays --- */

/* Puts the arrays into the dataset, and answers with it. */
static bool publish(struct service *service, const struct request *request,
                    const struct dataset_change *change, struct reply *reply)
{
    bool created;
    const char *id = request->dataset;
    struct store *store = store_pool_borrow_writer(service->stores);
    enum store_status status = etag_check_dataset(store, request);
    if (status == STORE_OK)
        status = store_dataset_put(store, id, change, timestamp_now(), &created);
    store_pool_return_writer(service->stores, status);
    if (!errors_store_ok(status, PROBLEM_DATASET_NOT_FOUND, id, &reply->problem))
        return false;
    if (created) {
        reply->status = 201;
        snprintf(reply->location, sizeof reply->location, "/datasets/%s", id);
    }
    datasets_get(service, request, reply);
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
static bool upload_file(struct array_file *file, struct upload *upload, size_t *classes,
                        struct problem *problem)
{
    const struct array_layout *layout = array_file_layout(file);
    const size_t size = dtype_size(layout->dtype);
    size_t bytes, before = 0;
    bool uploaded = false;
    char *chunk = malloc(UPLOAD_CHUNK);
    if (chunk == NULL)
        problem_set_no_memory(problem);
    while (chunk != NULL && array_file_read(file, chunk, UPLOAD_CHUNK, &bytes, problem)) {
        uploaded = bytes == 0;
        if (uploaded ||
            (classes != NULL &&
             !check_labels(layout, chunk, bytes / size, before, classes, problem)) ||
            !upload_add(upload, chunk, bytes, problem))
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
    struct problem *problem = &reply->problem;
    struct upload upload = {0};
    struct array_file *file = array_file_create(request->file, service->max_dataset_bytes, problem);
    if (file == NULL)
        return;
    const struct array_layout *layout = array_file_layout(file);
    if (check_layout(layout, is_label, problem) &&
        upload_begin(&upload, service, request, layout->dtype, layout->features, problem) &&
        upload_file(file, &upload, is_label ? &classes : NULL, problem)) {
        upload_end(&upload);
        const struct dataset_change change = {.x = is_label ? NULL : &upload.array,
                                              .label = is_label ? &upload.array : NULL,
                                              .classes = classes};
        publish(service, request, &change, reply);
    }
    upload_finish(&upload);
    store_pool_sweep(service->stores);
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

struct table {
    struct csv_file *file;
    size_t features;
    bool has_labels;
    size_t count;        /* rows */
    struct buffer codes; /* int32_t [count], if there are labels */
    struct upload x;
    struct upload label;
};

static int32_t *codes_of(const struct table *table)
{
    return table->codes.items;
}

static bool upload_rows(struct table *table, struct problem *problem)
{
    const size_t row = table->features * sizeof(float);
    const size_t max = row < UPLOAD_CHUNK ? UPLOAD_CHUNK / row : 1;
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
            (rows > 0 && !upload_add(&table->x, chunk, rows * row, problem)))
            break;
        table->count += rows;
        table->codes.size += table->has_labels ? rows * sizeof *codes : 0;
    }
    free(chunk);
    return !problem_is_set(problem);
}

/* Uploads the labels when all are known. *ret_names: free() */
static bool upload_labels(struct table *table, struct service *service,
                          const struct request *request, size_t *ret_classes, char **ret_names,
                          struct problem *problem)
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
    if (!upload_begin(&table->label, service, request, DTYPE_I4, 1, problem))
        return false;
    for (size_t done = 0, size; done < table->count; done += size) {
        const size_t max = UPLOAD_CHUNK / sizeof *codes;
        size = table->count - done < max ? table->count - done : max;
        if (!upload_add(&table->label, codes + done, size * sizeof *codes, problem))
            return false;
    }
    upload_end(&table->label);
    *ret_classes = largest + 1;
    *ret_names = classes.count > 0 ? labels_json_text(classes.name, classes.count) : NULL;
    if (*ret_names == NULL && classes.count > 0)
        problem_set_no_memory(problem);
    return !problem_is_set(problem);
}

static bool publish_table(struct service *service, const struct request *request,
                          struct table *table, struct reply *reply)
{
    char *names = NULL;
    struct problem *problem = &reply->problem;
    struct dataset_change change = {.x = &table->x.array, .replaces = true};
    if (!upload_begin(&table->x, service, request, DTYPE_F4, table->features, problem) ||
        !upload_rows(table, problem))
        return false;
    upload_end(&table->x);
    if (table->has_labels) {
        if (!upload_labels(table, service, request, &change.classes, &names, problem))
            return false;
        change.label = &table->label.array;
        change.names = names;
    }
    const bool is_published = publish(service, request, &change, reply);
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
    publish_table(service, request, &table, reply);
    upload_finish(&table.x);
    upload_finish(&table.label);
    store_pool_sweep(service->stores);
    buffer_finish(&table.codes);
    csv_file_destroy(table.file);
}
