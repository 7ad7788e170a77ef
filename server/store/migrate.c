/* Migration n leads from user_version n - 1 to n, in one transaction. */
#include "server/store/migrate.h"

#include <stdio.h>
#include <string.h>

#include "server/base/checksum.h"
#include "server/base/embedded.h"
#include "server/store/query.h"

/* sqlite3_finalize() the row. */
static enum store_status first_row(struct store *store, const char *sql, sqlite3_stmt **ret_row)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW) {
        *ret_row = statement;
        return STORE_OK;
    }
    sqlite3_finalize(statement);
    return query_status(result);
}

static enum store_status read_number(struct store *store, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *row;
    const enum store_status status = first_row(store, sql, &row);
    if (status != STORE_OK)
        return status;
    *ret_number = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    return STORE_OK;
}

int64_t migrate_newest(void)
{
    return (int64_t)embedded_migrations_count;
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
    if (version > migrate_newest())
        return STORE_NEWER;
    if (version < 0)
        return STORE_ALTERED;
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

enum store_status migrate_database(struct store *store, int64_t version, int64_t to)
{
    enum store_status status = query_execute(store, "PRAGMA foreign_keys = OFF");
    while (status == STORE_OK && version < to)
        status = apply(store, (size_t)++version);
    if (status == STORE_OK)
        status = query_execute(store, "PRAGMA foreign_keys = ON");
    return status;
}

static const char schema[] =
    "SELECT sha256(group_concat(quote(type) || quote(name) || quote(tbl_name) || quote(sql))) FROM "
    "(SELECT * FROM sqlite_schema WHERE type <> 'table' OR name NOT IN ('sqlite_stat1', "
    "'sqlite_stat4') ORDER BY name, type)";

static enum store_status digest_of(struct store *store, char ret_digest[CHECKSUM_TEXT])
{
    sqlite3_stmt *row;
    const enum store_status status = first_row(store, schema, &row);
    if (status != STORE_OK)
        return status;
    const char *digest = (const char *)sqlite3_column_text(row, 0);
    if (digest != NULL)
        snprintf(ret_digest, CHECKSUM_TEXT, "%s", digest);
    sqlite3_finalize(row);
    return digest != NULL ? STORE_OK : STORE_NO_MEMORY;
}

enum store_status migrate_compare(struct store *store, struct store *other)
{
    char digests[2][CHECKSUM_TEXT];
    enum store_status status = digest_of(store, digests[0]);
    if (status == STORE_OK)
        status = digest_of(other, digests[1]);
    if (status != STORE_OK)
        return status;
    return strcmp(digests[0], digests[1]) == 0 ? STORE_OK : STORE_ALTERED;
}
