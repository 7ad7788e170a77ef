#include "server/model/cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "server/model/errors.h"

/* Found by hash, chained by `next`. Only the versions being served are kept: older ones are asked
 * for rarely, and loaded each time. */
struct entry {
    struct entry *next;
    struct model *model; /* one reference */
    uint64_t used;       /* the tick of its last use */
};

enum { BUCKETS = 1024 };

struct model_cache {
    struct store_pool *stores;
    struct memory *memory;
    size_t budget_bytes;
    pthread_mutex_t lock; /* of all below */
    size_t bytes;
    uint64_t tick;
    uint64_t changes;  /* begun and ended: a load that saw another number may be stale */
    unsigned changing; /* in progress */
    struct entry *buckets[BUCKETS];
};

struct model_cache *model_cache_create(struct store_pool *stores, struct memory *memory,
                                       size_t budget_bytes)
{
    struct model_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;
    cache->stores = stores;
    cache->memory = memory;
    cache->budget_bytes = budget_bytes;
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

/* The link that points to the entry of an id, or to NULL at the end of its bucket's chain. */
static struct entry **link_of(struct model_cache *cache, const char *id)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (const char *at = id; *at != '\0'; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    struct entry **link = &cache->buckets[hash % BUCKETS];
    while (*link != NULL && strcmp((*link)->model->id, id) != 0)
        link = &(*link)->next;
    return link;
}

static void unlink_entry(struct model_cache *cache, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    cache->bytes -= entry->model->bytes;
    model_release(entry->model);
    free(entry);
}

void model_cache_destroy(struct model_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (cache->buckets[i] != NULL)
            unlink_entry(cache, &cache->buckets[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void evict_least_recent(struct model_cache *cache)
{
    struct entry **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry **link = &cache->buckets[i]; *link != NULL; link = &(*link)->next)
            if (oldest == NULL || (*link)->used < (*oldest)->used)
                oldest = link;
    unlink_entry(cache, oldest);
}

/* Keeps the model, unless that fails or it would not fit at all: it is served all the same. */
static void insert(struct model_cache *cache, struct model *model)
{
    if (model->bytes > cache->budget_bytes)
        return;
    struct entry **link = link_of(cache, model->id);
    if (*link != NULL)
        return;
    struct entry *entry = malloc(sizeof *entry);
    if (entry == NULL)
        return;
    *entry = (struct entry){.model = model_retain(model), .used = ++cache->tick};
    *link = entry;
    cache->bytes += model->bytes;
    model_give_memory(model);
    while (cache->bytes > cache->budget_bytes)
        evict_least_recent(cache);
}

/* The served model if it is in memory, with a reference; *ret_changes as of now. */
static struct model *find(struct model_cache *cache, const char *id, int64_t version,
                          uint64_t *ret_changes)
{
    struct model *model = NULL;
    pthread_mutex_lock(&cache->lock);
    struct entry *entry = *link_of(cache, id);
    if (entry != NULL && (version == 0 || version == entry->model->version)) {
        entry->used = ++cache->tick;
        model = model_retain(entry->model);
    }
    *ret_changes = cache->changes;
    pthread_mutex_unlock(&cache->lock);
    return model;
}

bool model_cache_has(struct model_cache *cache, const char *id, int64_t version)
{
    uint64_t changes;
    struct model *model = find(cache, id, version, &changes);
    model_release(model);
    return model != NULL;
}

static enum store_status load(struct model_cache *cache, const char *id, int64_t version,
                              bool with_weights, struct memory *memory, struct model **ret_model)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(cache->stores, &store);
    if (status != STORE_OK)
        return status;
    status = store_snapshot_begin(store); /* the version that is served is there */
    if (status == STORE_OK)
        status = model_load(store, id, version, with_weights, memory, ret_model);
    store_snapshot_end(store);
    store_pool_return_reader(cache->stores, store);
    return status;
}

static enum store_status get(struct model_cache *cache, const char *id, int64_t version,
                             struct memory *memory, struct model **ret_model)
{
    uint64_t changes;
    struct model *model = find(cache, id, version, &changes);
    if (model != NULL) {
        *ret_model = model;
        return STORE_OK;
    }
    const enum store_status status = load(cache, id, version, true, memory, &model);
    if (status != STORE_OK)
        return status;
    model->memory = cache->memory;
    if (version == 0) {
        pthread_mutex_lock(&cache->lock);
        if (cache->changing == 0 && cache->changes == changes)
            insert(cache, model);
        pthread_mutex_unlock(&cache->lock);
    }
    *ret_model = model;
    return STORE_OK;
}

enum store_status model_cache_get(struct model_cache *cache, const char *id, int64_t version,
                                  struct model **ret_model)
{
    return get(cache, id, version, NULL, ret_model);
}

struct model *model_cache_find(struct model_cache *cache, const char *id, int64_t version,
                               struct problem *problem)
{
    struct model *model;
    const enum store_status status = get(cache, id, version, cache->memory, &model);
    if (status == STORE_OK)
        return model;
    if (status == STORE_NOT_FOUND && version != 0 &&
        load(cache, id, 0, false, NULL, &model) == STORE_OK) {
        model_release(model);
        problem_set(problem, PROBLEM_VERSION_NOT_FOUND, "The model has no version %lld.",
                    (long long)version);
    }
    errors_store_ok(status, PROBLEM_MODEL_NOT_FOUND, id, problem);
    return NULL;
}

struct model *model_cache_describe(struct model_cache *cache, const char *id,
                                   struct problem *problem)
{
    struct model *model = NULL;
    errors_store_ok(load(cache, id, 0, false, NULL, &model), PROBLEM_MODEL_NOT_FOUND, id, problem);
    return model;
}

static void note_change(struct model_cache *cache, const char *id, bool begins)
{
    pthread_mutex_lock(&cache->lock);
    cache->changes++;
    if (begins)
        cache->changing++;
    else
        cache->changing--;
    struct entry **link = link_of(cache, id);
    if (*link != NULL)
        unlink_entry(cache, link);
    pthread_mutex_unlock(&cache->lock);
}

struct store *model_cache_change_begin(struct model_cache *cache, const char *id)
{
    struct store *store = store_pool_borrow_writer(cache->stores);
    note_change(cache, id, true);
    return store;
}

enum store_status model_cache_change_end(struct model_cache *cache, const char *id,
                                         enum store_status status)
{
    note_change(cache, id, false);
    return store_pool_return_writer(cache->stores, status);
}
