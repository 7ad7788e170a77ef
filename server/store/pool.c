#include "server/store/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "server/store/arrays.h"
#include "server/store/query.h"
#include "server/store/runs.h"
#include "server/store/samples.h"
#include "server/store/versions.h"

/* Threads are few, so readers are few: a reader is closed only with the pool. */
struct store_pool {
    char *path;
    struct store *writer;
    struct uploads uploads; /* this and the next belong to the thread that has the writer */
    bool had_no_memory;

    /* Threads get the writer in the order in which they ask for it: one that gives it back and asks
     * again at once would mostly get it before one that waits. */
    pthread_mutex_t turns;
    pthread_cond_t turn_ended;
    uint64_t next_turn; /* of the thread that asks next */
    uint64_t turn;      /* of the thread that has the writer, or will */

    atomic_bool interrupted;
    atomic_bool broken;
    atomic_bool damaged;  /* until the process ends */
    pthread_mutex_t lock; /* of the list */
    struct store *idle;   /* readers that are not lent, linked by `next_idle` */
};

enum store_status store_pool_create(const char *path, struct store_pool **ret_pool)
{
    struct store_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return STORE_NO_MEMORY;
    pthread_mutex_init(&pool->turns, NULL);
    pthread_cond_init(&pool->turn_ended, NULL);
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
    pthread_cond_destroy(&pool->turn_ended);
    pthread_mutex_destroy(&pool->turns);
    free(pool->path);
    free(pool);
}

/* After a statement that got no memory, SQLite goes on counting the foreign keys that it had found
 * broken halfway, and refuses what follows. A rollback ends that. */
static void forget_violations(struct store_pool *pool)
{
    const enum store_status status = query_transaction_begin(pool->writer);
    query_transaction_end(pool->writer, STORE_NO_MEMORY);
    pool->had_no_memory = status != STORE_OK;
}

struct store *store_pool_borrow_writer(struct store_pool *pool)
{
    pthread_mutex_lock(&pool->turns);
    const uint64_t mine = pool->next_turn++;
    while (pool->turn != mine)
        pthread_cond_wait(&pool->turn_ended, &pool->turns);
    pthread_mutex_unlock(&pool->turns);
    if (pool->had_no_memory)
        forget_violations(pool);
    return pool->writer;
}

/* The writer, if no thread has it or waits for it; else NULL. */
static struct store *try_to_borrow_writer(struct store_pool *pool)
{
    pthread_mutex_lock(&pool->turns);
    const bool is_free = pool->turn == pool->next_turn;
    pool->next_turn += is_free;
    pthread_mutex_unlock(&pool->turns);
    return is_free ? pool->writer : NULL;
}

/* Keeps how a write went, if that says something about the disk. */
static void note(struct store_pool *pool, enum store_status status)
{
    if (status == STORE_BROKEN) {
        atomic_store(&pool->damaged, true);
        store_keep_file(pool->writer);
    }
    if (status == STORE_OK)
        atomic_store(&pool->broken, false);
    if (status == STORE_FULL || status == STORE_UNAVAILABLE || status == STORE_CORRUPT)
        atomic_store(&pool->broken, true);
}

enum store_status store_pool_return_writer(struct store_pool *pool, enum store_status status)
{
    note(pool, status);
    pool->had_no_memory = pool->had_no_memory || status == STORE_NO_MEMORY;
    pthread_mutex_lock(&pool->turns);
    pool->turn++;
    pthread_cond_broadcast(&pool->turn_ended);
    pthread_mutex_unlock(&pool->turns);
    return status;
}

static enum store_status sweep_piece(struct store_pool *pool, struct store *store)
{
    enum store_status status = STORE_NOT_FOUND;
    if (pool->uploads.going_on == 0)
        status = store_array_sweep(store);
    if (status == STORE_NOT_FOUND)
        status = store_version_sweep(store);
    if (status == STORE_NOT_FOUND)
        status = store_run_sweep(store);
    return status == STORE_NOT_FOUND ? store_samples_sweep(store) : status;
}

void store_pool_sweep(struct store_pool *pool)
{
    enum store_status status;
    do {
        struct store *store = store_pool_borrow_writer(pool);
        status = store_pool_return_writer(pool, sweep_piece(pool, store));
    } while (status == STORE_OK && !atomic_load(&pool->interrupted));
}

void store_pool_interrupt(struct store_pool *pool)
{
    atomic_store(&pool->interrupted, true);
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

/* One whose transaction could not end, for want of memory, would show the past. */
void store_pool_return_reader(struct store_pool *pool, struct store *store)
{
    if (sqlite3_txn_state(store->db, NULL) != SQLITE_TXN_NONE) {
        store_close(store);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    store->next_idle = pool->idle;
    pool->idle = store;
    pthread_mutex_unlock(&pool->lock);
}

bool store_pool_is_in_place(const struct store_pool *pool)
{
    return store_is_in_place(pool->writer);
}

bool store_pool_is_damaged(const struct store_pool *pool)
{
    return atomic_load(&pool->damaged);
}

bool store_pool_is_broken(struct store_pool *pool)
{
    struct store *store = atomic_load(&pool->broken) ? try_to_borrow_writer(pool) : NULL;
    if (store != NULL)
        store_pool_return_writer(pool, store_probe(store));
    return atomic_load(&pool->broken);
}
