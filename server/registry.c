#include "registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Found by hash, chained by `next`. Only the versions being served are kept: older ones are asked
 * for rarely, and loaded each time. */
struct entry {
    struct entry *next;
    struct model *model; /* one reference */
    uint64_t used;       /* the tick of its last use */
};

enum { BUCKETS = 1024 };

struct registry {
    struct store_pool *stores;
    size_t budget_bytes;
    pthread_mutex_t lock; /* of all below */
    size_t bytes;
    uint64_t tick;
    uint64_t changes;  /* begun and ended: a load that saw another number may be stale */
    unsigned changing; /* in progress */
    struct entry *buckets[BUCKETS];
};

struct registry *registry_create(struct store_pool *stores, size_t budget_bytes)
{
    struct registry *registry = calloc(1, sizeof *registry);
    if (registry == NULL)
        return NULL;
    registry->stores = stores;
    registry->budget_bytes = budget_bytes;
    pthread_mutex_init(&registry->lock, NULL);
    return registry;
}

/* FNV-1a */
static struct entry **bucket_of(struct registry *registry, const char *id)
{
    uint32_t hash = 2166136261u;
    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return &registry->buckets[hash % BUCKETS];
}

/* The link that points to the entry of an id, or to NULL at the chain's end. */
static struct entry **link_of(struct registry *registry, const char *id)
{
    struct entry **link = bucket_of(registry, id);
    while (*link != NULL && strcmp((*link)->model->id, id) != 0)
        link = &(*link)->next;
    return link;
}

static void unlink_entry(struct registry *registry, struct entry **link)
{
    struct entry *entry = *link;
    *link = entry->next;
    registry->bytes -= entry->model->bytes;
    model_release(entry->model);
    free(entry);
}

void registry_destroy(struct registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (registry->buckets[i] != NULL)
            unlink_entry(registry, &registry->buckets[i]);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}

static void evict_least_recent(struct registry *registry)
{
    struct entry **oldest = NULL;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct entry **link = &registry->buckets[i]; *link != NULL; link = &(*link)->next)
            if (oldest == NULL || (*link)->used < (*oldest)->used)
                oldest = link;
    unlink_entry(registry, oldest);
}

/* Keeps the model, unless that fails or it would not fit at all: it is served all the same. */
static void insert(struct registry *registry, struct model *model)
{
    if (model->bytes > registry->budget_bytes)
        return;
    struct entry **link = link_of(registry, model->id);
    if (*link != NULL)
        return;
    struct entry *entry = malloc(sizeof *entry);
    if (entry == NULL)
        return;
    *entry = (struct entry){.model = model_retain(model), .used = ++registry->tick};
    *link = entry;
    registry->bytes += model->bytes;
    while (registry->bytes > registry->budget_bytes)
        evict_least_recent(registry);
}

/* The served model if it is in memory, with a reference; *ret_changes as of now. */
static struct model *find(struct registry *registry, const char *id, int64_t version,
                          uint64_t *ret_changes)
{
    struct model *model = NULL;
    pthread_mutex_lock(&registry->lock);
    struct entry *entry = *link_of(registry, id);
    if (entry != NULL && (version == 0 || version == entry->model->version)) {
        entry->used = ++registry->tick;
        model = model_retain(entry->model);
    }
    *ret_changes = registry->changes;
    pthread_mutex_unlock(&registry->lock);
    return model;
}

static enum store_status load(struct registry *registry, const char *id, int64_t version,
                              struct model **ret_model)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(registry->stores, &store);
    if (status != STORE_OK)
        return status;
    status = model_load(store, id, version, ret_model);
    store_pool_return(registry->stores, store);
    return status;
}

enum store_status registry_describe(struct registry *registry, const char *id,
                                    struct model **ret_model)
{
    struct store *store;
    enum store_status status = store_pool_borrow_reader(registry->stores, &store);
    if (status != STORE_OK)
        return status;
    status = model_load_description(store, id, ret_model);
    store_pool_return(registry->stores, store);
    return status;
}

enum store_status registry_get(struct registry *registry, const char *id, int64_t version,
                               struct model **ret_model)
{
    uint64_t changes;
    struct model *model = find(registry, id, version, &changes);
    if (model != NULL) {
        *ret_model = model;
        return STORE_OK;
    }
    const enum store_status status = load(registry, id, version, &model);
    if (status != STORE_OK)
        return status;
    if (version == 0) {
        pthread_mutex_lock(&registry->lock);
        if (registry->changing == 0 && registry->changes == changes)
            insert(registry, model);
        pthread_mutex_unlock(&registry->lock);
    }
    *ret_model = model;
    return STORE_OK;
}

static void note_change(struct registry *registry, const char *id, bool begins)
{
    pthread_mutex_lock(&registry->lock);
    registry->changes++;
    if (begins)
        registry->changing++;
    else
        registry->changing--;
    struct entry **link = link_of(registry, id);
    if (*link != NULL)
        unlink_entry(registry, link);
    pthread_mutex_unlock(&registry->lock);
}

void registry_change_begin(struct registry *registry, const char *id)
{
    note_change(registry, id, true);
}

void registry_change_end(struct registry *registry, const char *id)
{
    note_change(registry, id, false);
}
