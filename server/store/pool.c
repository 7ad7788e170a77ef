#include "server/store/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/query.h"

/* Threads are few, so readers are few: a reader is closed only with the pool. */
struct store_pool {
    char *path;
    struct store *writer;
    pthread_mutex_t writing; /* held by the thread that has the writer */
    struct uploads uploads;  /* likewise */
    atomic_bool broken;
    pthread_mutex_t lock; /* of the list */
    struct store *idle;   /* readers that are not lent, linked by `next_idle` */
};

enum store_status store_pool_create(const char *path, struct store_pool **ret_pool)
{
    struct store_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return STORE_NO_MEMORY;
    pthread_mutex_init(&pool->writing, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    enum store_status status = STORE_NO_MEMORY;
    pool->path = strdup(path);
    if (pool->path != NULL)
        status = store_open_writer(path, &pool->writer);
    if (status == STORE_OK)
        *ret_pool = pool;
    else
        store_pool_destroy(pool);
    return status;
}

/* The writer closes last, so that its checkpoint has everything. */
void store_pool_destroy(struct store_pool *pool)
{
    if (pool == NULL)
        return;
    while (pool->idle != NULL) {
        struct store *reader = pool->idle;
        pool->idle = reader->next_idle;
        store_close(reader);
    }
    store_close(pool->writer);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->writing);
    free(pool->path);
    free(pool);
}

struct store *store_pool_borrow_writer(struct store_pool *pool)
{
    pthread_mutex_lock(&pool->writing);
    return pool->writer;
}

/* Keeps how a write went, if that says something about the disk. */
static void note(struct store_pool *pool, enum store_status status)
{
    if (status == STORE_OK)
        atomic_store(&pool->broken, false);
    if (status == STORE_FULL || status == STORE_UNAVAILABLE || status == STORE_CORRUPT)
        atomic_store(&pool->broken, true);
}

enum store_status store_pool_return_writer(struct store_pool *pool, enum store_status status)
{
    note(pool, status);
    pthread_mutex_unlock(&pool->writing);
    return status;
}

void store_pool_doubt(struct store_pool *pool)
{
    atomic_store(&pool->broken, true);
}

struct uploads *store_pool_uploads(struct store_pool *pool)
{
    return &pool->uploads;
}

enum store_status store_pool_borrow_reader(struct store_pool *pool, struct store **ret_store)
{
    pthread_mutex_lock(&pool->lock);
    struct store *reader = pool->idle;
    if (reader != NULL)
        pool->idle = reader->next_idle;
    pthread_mutex_unlock(&pool->lock);
    if (reader == NULL)
        return store_open_reader(pool->path, ret_store);
    *ret_store = reader;
    return STORE_OK;
}

void store_pool_return_reader(struct store_pool *pool, struct store *store)
{
    pthread_mutex_lock(&pool->lock);
    store->next_idle = pool->idle;
    pool->idle = store;
    pthread_mutex_unlock(&pool->lock);
}

bool store_pool_is_broken(struct store_pool *pool)
{
    if (atomic_load(&pool->broken) && pthread_mutex_trylock(&pool->writing) == 0) {
        note(pool, store_probe(pool->writer));
        pthread_mutex_unlock(&pool->writing);
    }
    return atomic_load(&pool->broken);
}
