#include "server/store/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum store_status query_status(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STORE_OK;
    case SQLITE_NOMEM:
        return STORE_NO_MEMORY;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
        return STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_CORRUPT;
    default:
        return STORE_UNAVAILABLE;
    }
}

static sqlite3_stmt *find_statement(struct store *store, const char *sql, int *result)
{
    for (unsigned i = 0; i < store->statement_count; i++)
        if (store->statements[i].sql == sql)
            return store->statements[i].statement;
    sqlite3_stmt *statement = NULL;
    *result =
        store->statement_count < STORE_STATEMENTS
            ? sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL)
            : SQLITE_INTERNAL;
    if (*result == SQLITE_OK) {
        store->statements[store->statement_count].sql = sql;
        store->statements[store->statement_count++].statement = statement;
    }
    return statement;
}

struct query query_begin(struct store *store, const char *sql)
{
    struct query query = {.store = store, .result = SQLITE_OK};
    query.statement = find_statement(store, sql, &query.result);
    return query;
}

/* Keeps the first failure; further calls then do nothing. */
static bool may_bind(struct query *query)
{
    query->bound++;
    return query->result == SQLITE_OK;
}

void query_integer(struct query *query, int64_t value)
{
    if (may_bind(query))
        query->result = sqlite3_bind_int64(query->statement, query->bound, value);
}

void query_integer_or_null(struct query *query, int64_t value)
{
    if (value != 0)
        query_integer(query, value);
    else
        query_text(query, NULL);
}

void query_real(struct query *query, double value)
{
    if (may_bind(query))
        query->result = sqlite3_bind_double(query->statement, query->bound, value);
}

void query_text(struct query *query, const char *value)
{
    if (may_bind(query))
        query->result = sqlite3_bind_text(query->statement, query->bound, value, -1, SQLITE_STATIC);
}

void query_text_or_null(struct query *query, const char *value)
{
    query_text(query, *value != '\0' ? value : NULL);
}

void query_blob(struct query *query, const void *data, size_t size)
{
    if (may_bind(query))
        query->result =
            sqlite3_bind_blob64(query->statement, query->bound, data, size, SQLITE_STATIC);
}

void query_zeros(struct query *query, size_t size)
{
    if (may_bind(query))
        query->result = sqlite3_bind_zeroblob64(query->statement, query->bound, size);
}

void query_page(struct query *query, int64_t before, size_t limit)
{
    query_integer(query, before == 0 ? INT64_MAX : before);
    query_integer(query, (int64_t)limit);
}

enum store_status query_end(struct query *query)
{
    if (query->statement == NULL)
        return STORE_OK;
    const int result = sqlite3_reset(query->statement);
    sqlite3_clear_bindings(query->statement);
    return query_status(result);
}

enum store_status query_next(struct query *query)
{
    if (query->result == SQLITE_OK || query->result == SQLITE_ROW)
        query->result = sqlite3_step(query->statement);
    query->read = 0;
    if (query->result == SQLITE_ROW)
        return STORE_OK;
    const int result = query->result;
    query_end(query);
    return result == SQLITE_DONE ? STORE_NOT_FOUND : query_status(result);
}

enum store_status query_run(struct query *query)
{
    const enum store_status status = query_exists(query);
    return status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status query_exists(struct query *query)
{
    const enum store_status status = query_next(query);
    return status == STORE_OK ? query_end(query) : status;
}

enum store_status query_refuse(struct query *query, enum store_status found)
{
    const enum store_status status = query_exists(query);
    return status == STORE_OK ? found : status == STORE_NOT_FOUND ? STORE_OK : status;
}

enum store_status query_number(struct query *query, int64_t *ret_number)
{
    enum store_status status = query_next(query);
    if (status != STORE_OK)
        return status;
    const int64_t number = query_column(query);
    status = query_end(query);
    if (status == STORE_OK)
        *ret_number = number;
    return status;
}

enum store_status query_row(struct query *query, const struct query_record *kind, void *ret_record)
{
    enum store_status status = query_next(query);
    if (status != STORE_OK)
        return status;
    status = kind->read(query, ret_record);
    query_end(query);
    return status;
}

enum store_status query_rows(struct query *query, const struct query_record *kind, void *records,
                             size_t *ret_count)
{
    char *record = records;
    enum store_status status;
    while ((status = query_next(query)) == STORE_OK) {
        status = kind->read(query, record);
        if (status != STORE_OK) {
            query_end(query);
            break;
        }
        record += kind->size;
    }
    const size_t count = (size_t)(record - (char *)records) / kind->size;
    if (status == STORE_NOT_FOUND) {
        *ret_count = count;
        return STORE_OK;
    }
    for (size_t i = 0; kind->finish != NULL && i < count; i++)
        kind->finish((char *)records + i * kind->size);
    return status;
}

int64_t query_column(struct query *query)
{
    return sqlite3_column_int64(query->statement, query->read++);
}

double query_column_real(struct query *query)
{
    const int column = query->read++;
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL
               ? NAN
               : sqlite3_column_double(query->statement, column);
}

const char *query_column_text(struct query *query)
{
    return (const char *)sqlite3_column_text(query->statement, query->read++);
}

void query_column_string(struct query *query, char *out, size_t size)
{
    const char *text = query_column_text(query);
    snprintf(out, size, "%s", text != NULL ? text : "");
}

char *query_column_copy(struct query *query, bool *failed)
{
    const bool is_null = sqlite3_column_type(query->statement, query->read) == SQLITE_NULL;
    const char *text = query_column_text(query);
    char *copy = text == NULL ? NULL : strdup(text);
    if (copy == NULL && !is_null)
        *failed = true;
    return copy;
}

enum store_status query_column_numbers(struct query *query, size_t rows, size_t columns,
                                       void *ret_numbers)
{
    size_t size, expected;
    const void *data = query_column_bytes(query, &size);
    if (__builtin_mul_overflow(rows, columns, &expected) ||
        __builtin_mul_overflow(expected, 4, &expected) || size != expected)
        return STORE_CORRUPT;
    void *numbers = malloc(size + 1);
    if (numbers == NULL)
        return STORE_NO_MEMORY;
    if (size > 0)
        memcpy(numbers, data, size);
    memcpy(ret_numbers, &numbers, sizeof numbers);
    return STORE_OK;
}

const void *query_column_bytes(struct query *query, size_t *ret_size)
{
    const int column = query->read++;
    const void *data = sqlite3_column_blob(query->statement, column);
    *ret_size = (size_t)sqlite3_column_bytes(query->statement, column);
    return data;
}

enum store_status query_execute(struct store *store, const char *sql)
{
    return query_status(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

enum store_status query_transaction_begin(struct store *store)
{
    return query_execute(store, "BEGIN IMMEDIATE");
}

enum store_status query_transaction_end(struct store *store, enum store_status status)
{
    if (status == STORE_OK)
        status = query_execute(store, "COMMIT");
    /* A failure may have rolled back already: then there is nothing left to undo. */
    if (status != STORE_OK && sqlite3_get_autocommit(store->db) == 0)
        query_execute(store, "ROLLBACK");
    return status;
}
