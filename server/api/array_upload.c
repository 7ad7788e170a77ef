#include "server/api/array_upload.h"

#include "server/model/errors.h"

static bool end_write(struct array_upload *upload, enum store_status status,
                      struct problem *problem)
{
    store_pool_return_writer(upload->stores, status);
    return errors_store_ok(status, PROBLEM_INTERNAL, "array", problem);
}

static void prune_left_over(struct store_pool *stores, struct store *store)
{
    struct uploads *uploads = store_pool_uploads(stores);
    if (uploads->left_some_over && uploads->going_on == 0)
        uploads->left_some_over = store_array_prune(store) != STORE_OK;
}

bool array_upload_begin(struct array_upload *upload, struct store_pool *stores, enum dtype dtype,
                        size_t features, struct problem *problem)
{
    *upload =
        (struct array_upload){.stores = stores, .array = {.dtype = dtype, .features = features}};
    checksum_init(&upload->checksum);
    struct store *store = store_pool_borrow_writer(stores);
    prune_left_over(stores, store);
    const enum store_status status = store_array_begin(store, &upload->array, &upload->array.id);
    if (status == STORE_OK)
        store_pool_uploads(stores)->going_on++;
    return end_write(upload, status, problem);
}

bool array_upload_add(struct array_upload *upload, const void *rows, size_t bytes,
                      struct problem *problem)
{
    checksum_add(&upload->checksum, rows, bytes);
    upload->array.bytes += bytes;
    struct store *store = store_pool_borrow_writer(upload->stores);
    return end_write(upload,
                     store_array_append(store, upload->array.id, upload->chunks++, rows, bytes),
                     problem);
}

void array_upload_end(struct array_upload *upload)
{
    struct array_record *array = &upload->array;
    array->count = array->bytes / dtype_size(array->dtype) / array->features;
    checksum_finish(&upload->checksum, array->sha256);
}

void array_upload_finish(struct array_upload *upload, bool is_published)
{
    if (upload->array.id == 0)
        return;
    struct store *store = store_pool_borrow_writer(upload->stores);
    struct uploads *uploads = store_pool_uploads(upload->stores);
    const enum store_status status =
        is_published ? STORE_OK : store_array_delete(store, upload->array.id);
    uploads->going_on--;
    uploads->left_some_over |= status != STORE_OK;
    store_pool_return_writer(upload->stores, status);
    *upload = (struct array_upload){0};
}
