/* Brings a database to the newest schema: migration n leads from user_version n - 1 to n, in one
 * transaction. A database of another program, or of a newer tempotrond, is left as it is. */
#include <stdio.h>
#include <string.h>

#include "server/base/embedded.h"
#include "server/store/query.h"

enum { APPLICATION_ID = 0x746d7074 /* "tmpt" */ };

/* What the log, once checkpointed, may keep of the disk. */
static const char LOG_SIZE[] = "PRAGMA journal_size_limit = 67108864";

static enum store_status read_number(struct store *store, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (result != SQLITE_OK)
        return store_status_of(result);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? STORE_OK : store_status_of(result);
}

static enum store_status check_origin(struct store *store, int64_t *ret_version)
{
    int64_t application, tables;
    enum store_status status = read_number(store, "PRAGMA application_id", &application);
    if (status == STORE_OK)
        status = read_number(store, "SELECT count(*) FROM sqlite_schema", &tables);
    if (status == STORE_OK)
        status = read_number(store, "PRAGMA user_version", ret_version);
    if (status != STORE_OK)
        return status;
    const bool empty = application == 0 && tables == 0 && *ret_version == 0;
    if (application != APPLICATION_ID && !empty)
        return STORE_FOREIGN;
    return *ret_version > (int64_t)embedded_migrations_count ? STORE_NEWER : STORE_OK;
}

/* They are off while tables are rebuilt, and have to be whole after it. */
static enum store_status check_references(struct store *store)
{
    int64_t broken = 0;
    const enum store_status status =
        read_number(store, "SELECT count(*) FROM pragma_foreign_key_check", &broken);
    return status == STORE_OK && broken > 0 ? STORE_CORRUPT : status;
}

static enum store_status apply(struct store *store, size_t version)
{
    char marks[96];
    snprintf(marks, sizeof marks, "PRAGMA application_id = %d; PRAGMA user_version = %zu",
             APPLICATION_ID, version);
    enum store_status status = store_begin(store);
    if (status != STORE_OK)
        return status;
    status = store_execute(store, embedded_migrations[version - 1].text);
    if (status == STORE_OK)
        status = check_references(store);
    if (status == STORE_OK)
        status = store_execute(store, marks);
    return store_end(store, status);
}

/* Where the file system can't do it, SQLite says so in its answer alone. */
static enum store_status use_wal(struct store *store)
{
    struct query query = query_begin(store, "PRAGMA journal_mode = WAL");
    enum store_status status = query_next(&query);
    if (status != STORE_OK)
        return status;
    const char *mode = query_column_text(&query, 0);
    if (mode == NULL || strcmp(mode, "wal") != 0)
        status = STORE_UNAVAILABLE;
    query_end(&query);
    return status;
}

enum store_status store_probe(struct store *store)
{
    char mark[64];
    snprintf(mark, sizeof mark, "PRAGMA application_id = %d", APPLICATION_ID);
    const enum store_status status = store_begin(store);
    return status == STORE_OK ? store_end(store, store_execute(store, mark)) : status;
}

enum store_status store_migrate(struct store *store)
{
    int64_t version = 0;
    enum store_status status = check_origin(store, &version);
    if (status == STORE_OK)
        status = use_wal(store);
    if (status == STORE_OK)
        status = store_execute(store, "PRAGMA synchronous = FULL");
    if (status == STORE_OK)
        status = store_execute(store, LOG_SIZE);
    if (status == STORE_OK)
        status = store_execute(store, "PRAGMA foreign_keys = OFF");
    for (size_t next = (size_t)version + 1; status == STORE_OK && next <= embedded_migrations_count;
         next++)
        status = apply(store, next);
    if (status == STORE_OK)
        status = store_execute(store, "PRAGMA foreign_keys = ON");
    return status;
}
