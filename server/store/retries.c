#include "server/store/retries.h"

#include <string.h>

#include "server/store/query.h"

#define DAY_MS INT64_C(86400000)

static const struct query_column columns[] = {
    QUERY_COLUMN("key", retry, key, .min = 1),
    QUERY_COLUMN("request_sha256", retry, request_sha256),
    QUERY_COLUMN("made", retry, made),
    {0},
};
static const struct query_record retries = {.size = sizeof(struct retry), .columns = columns};

enum store_status store_retry_find(struct store *store, int64_t now, struct retry *retry)
{
    struct retry found;
    if (retry->key[0] == '\0')
        return STORE_NOT_FOUND;
    struct query query =
        query_select(store, &retries, "FROM retries WHERE key = ? AND created_at > ?");
    query_text(&query, retry->key);
    query_integer(&query, now - DAY_MS);
    const enum store_status status = query_row(&query, &found);
    if (status != STORE_OK)
        return status;
    if (strcmp(found.request_sha256, retry->request_sha256) != 0)
        return STORE_OTHER_REQUEST;
    retry->made = found.made;
    return STORE_OK;
}

enum store_status store_retry_begin(struct store *store, int64_t now, struct retry *retry)
{
    const enum store_status status = store_retry_find(store, now, retry);
    store->retry = status == STORE_NOT_FOUND && retry->key[0] != '\0' ? retry : NULL;
    return status;
}

static enum store_status forget_old(struct store *store, int64_t now)
{
    struct query query = query_begin(store, "DELETE FROM retries WHERE created_at <= ?");
    query_integer(&query, now - DAY_MS);
    return query_run(&query);
}

enum store_status store_retry_keep(struct store *store, int64_t made, int64_t now)
{
    if (store->retry == NULL)
        return STORE_OK;
    const enum store_status status = forget_old(store, now);
    if (status != STORE_OK)
        return status;
    struct query query = query_begin(store, "INSERT INTO retries (key, request_sha256, made, "
                                            "created_at) VALUES (?, ?, ?, ?)");
    query_text(&query, store->retry->key);
    query_text(&query, store->retry->request_sha256);
    query_integer(&query, made);
    query_integer(&query, now);
    return query_run(&query);
}
