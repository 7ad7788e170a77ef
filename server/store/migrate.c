/* Migration n leads from user_version n - 1 to n, in one transaction. */
#include "server/store/migrate.h"

#include <stdio.h>
#include <string.h>

#include "server/base/embedded.h"
#include "server/store/query.h"

static enum store_status read_number(struct store *store, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (result != SQLITE_OK)
        return query_status(result);
    result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW ? STORE_OK : query_status(result);
}

enum store_status migrate_check(struct store *store, int64_t *ret_version)
{
    int64_t application, tables, version;
    enum store_status status = read_number(store, "PRAGMA application_id", &application);
    if (status == STORE_OK)
        status = read_number(store, "SELECT count(*) FROM sqlite_schema", &tables);
    if (status == STORE_OK)
        status = read_number(store, "PRAGMA user_version", &version);
    if (status != STORE_OK)
        return status;
    const bool empty = application == 0 && tables == 0 && version == 0;
    if (application != MIGRATE_APPLICATION_ID && !empty)
        return STORE_FOREIGN;
    if (version > (int64_t)embedded_migrations_count)
        return STORE_NEWER;
    *ret_version = version;
    return STORE_OK;
}

/* Foreign keys are off while tables are rebuilt, and have to hold afterwards. */
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
             MIGRATE_APPLICATION_ID, version);
    enum store_status status = query_transaction_begin(store);
    if (status == STORE_OK)
        status = query_execute(store, embedded_migrations[version - 1].text);
    if (status == STORE_OK)
        status = check_references(store);
    if (status == STORE_OK)
        status = query_execute(store, marks);
    return query_transaction_end(store, status);
}

enum store_status migrate_database(struct store *store, int64_t version)
{
    enum store_status status = query_execute(store, "PRAGMA foreign_keys = OFF");
    while (status == STORE_OK && version < (int64_t)embedded_migrations_count)
        status = apply(store, (size_t)++version);
    if (status == STORE_OK)
        status = query_execute(store, "PRAGMA foreign_keys = ON");
    return status;
}
