#include "server/api/request_retry.h"

#include <string.h>

#include "server/api/service.h"
#include "server/base/timestamp.h"
#include "server/model/errors.h"
#include "server/store/pool.h"

static void checksum_of(const struct request *request, char ret_text[CHECKSUM_TEXT])
{
    struct checksum checksum;
    checksum_init(&checksum);
    checksum_add(&checksum, request->method, strlen(request->method) + 1);
    checksum_add(&checksum, request->path, strlen(request->path) + 1);
    checksum_add(&checksum, request->body, request->body_size);
    checksum_finish(&checksum, ret_text);
}

bool request_retry_is_repeated(struct service *service, const struct request *request,
                               struct problem *problem, struct retry *retry)
{
    struct store *store;
    *retry = (struct retry){0};
    if (request->idempotency_key[0] == '\0')
        return false;
    strcpy(retry->key, request->idempotency_key);
    checksum_of(request, retry->request_sha256);
    enum store_status status = store_pool_borrow_reader(service->stores, &store);
    if (status == STORE_OK) {
        status = store_retry_find(store, timestamp_now(), retry);
        store_pool_return_reader(service->stores, store);
    }
    if (status == STORE_NOT_FOUND)
        return false;
    return errors_store_ok(status, PROBLEM_INTERNAL, "", problem);
}
