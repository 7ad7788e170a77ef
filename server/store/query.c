#include "server/store/query.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/utf8.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "BLOBs hold little-endian numbers");

enum store_status query_status(int result)
{
    if (result == SQLITE_READONLY_ROLLBACK)
        return STORE_UNFINISHED;
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return STORE_OK;
    case SQLITE_INTERRUPT:
        return STORE_STOPPED;
    case SQLITE_NOMEM:
        return STORE_NO_MEMORY;
    case SQLITE_FULL:
    case SQLITE_TOOBIG:
        return STORE_FULL;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return STORE_BROKEN;
    case SQLITE_CONSTRAINT: /* no sound database refuses what the store asks for */
        return STORE_CORRUPT;
    default:
        return STORE_UNAVAILABLE;
    }
}

static int prepare(struct store *store, const struct query_record *record, const char *rest,
                   sqlite3_stmt **ret_statement)
{
    if (store->statement_count == STORE_STATEMENTS)
        return SQLITE_INTERNAL;
    sqlite3_str *text = sqlite3_str_new(store->db);
    for (const struct query_column *column = record->columns; column->sql != NULL; column++)
        sqlite3_str_appendf(text, "%s%s", column == record->columns ? "SELECT " : ", ",
                            column->sql);
    sqlite3_str_appendf(text, " %s", rest);
    char *sql = sqlite3_str_finish(text);
    const int result = sql == NULL
                           ? SQLITE_NOMEM
                           : sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                                ret_statement, NULL);
    sqlite3_free(sql);
    return result;
}

struct query query_select(struct store *store, const struct query_record *record, const char *rest)
{
    struct query query = {.record = record, .result = SQLITE_OK};
    struct statement *statement = store->statements;
    struct statement *const end = statement + store->statement_count;
    while (statement < end && (statement->sql != rest || statement->record != record))
        statement++;
    if (statement == end)
        query.result = prepare(store, record, rest, &query.statement);
    else
        query.statement = statement->statement;
    if (statement == end && query.result == SQLITE_OK) {
        *statement = (struct statement){record, rest, query.statement};
        store->statement_count++;
    }
    return query;
}

struct query query_begin(struct store *store, const char *sql)
{
    static const struct query_column none = {0};
    static const struct query_record no_record = {.columns = &none};
    return query_select(store, &no_record, sql);
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

enum store_status query_change(struct query *query)
{
    const enum store_status status = query_run(query);
    return status == STORE_OK && sqlite3_changes(sqlite3_db_handle(query->statement)) == 0
               ? STORE_NOT_FOUND
               : status;
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
    const int64_t number = sqlite3_column_int64(query->statement, 0);
    status = query_end(query);
    if (status == STORE_OK)
        *ret_number = number;
    return status;
}

/* --- records --- */

static enum store_status read_integer(sqlite3_stmt *row, int at, const struct query_column *column,
                                      void *member)
{
    const int64_t greatest = column->size == sizeof(bool) ? 1 : INT64_MAX;
    const int64_t max = column->max != 0 ? column->max : greatest;
    const int64_t number = sqlite3_column_int64(row, at);
    if (sqlite3_column_type(row, at) != SQLITE_INTEGER &&
        sqlite3_column_type(row, at) != SQLITE_NULL)
        return STORE_CORRUPT;
    if (number < column->min || number > max)
        return STORE_CORRUPT;
    memcpy(member, &number, column->size); /* a member of fewer bytes takes the low ones */
    return STORE_OK;
}

static enum store_status read_real(sqlite3_stmt *row, int at, double *member)
{
    const int type = sqlite3_column_type(row, at);
    if (type != SQLITE_FLOAT && type != SQLITE_INTEGER && type != SQLITE_NULL)
        return STORE_CORRUPT;
    *member = type == SQLITE_NULL ? NAN : sqlite3_column_double(row, at);
    return STORE_OK;
}

/* NULL is left as it is: the member is zeroed. */
static enum store_status read_text(sqlite3_stmt *row, int at, const struct query_column *column,
                                   void *member)
{
    if (sqlite3_column_type(row, at) == SQLITE_NULL)
        return column->min > 0 ? STORE_CORRUPT : STORE_OK;
    if (sqlite3_column_type(row, at) != SQLITE_TEXT)
        return STORE_CORRUPT;
    const char *text = (const char *)sqlite3_column_text(row, at);
    const size_t size = (size_t)sqlite3_column_bytes(row, at);
    if (text == NULL)
        return STORE_NO_MEMORY;
    if (size < (size_t)column->min || strlen(text) != size || !utf8_is_valid(text, size) ||
        (column->kind == QUERY_STRING && size >= column->size))
        return STORE_CORRUPT;
    if (column->kind == QUERY_STRING) {
        memcpy(member, text, size + 1);
        return STORE_OK;
    }
    *(char **)member = strdup(text);
    return *(char **)member != NULL ? STORE_OK : STORE_NO_MEMORY;
}

enum store_status query_holds(sqlite3_stmt *row, int column, void *unused)
{
    (void)unused;
    return sqlite3_column_int(row, column) == 1 ? STORE_OK : STORE_CORRUPT;
}

static enum store_status read_column(sqlite3_stmt *row, int at, const struct query_column *column,
                                     void *member)
{
    switch (column->kind) {
    case QUERY_INTEGER:
        return read_integer(row, at, column, member);
    case QUERY_REAL:
        return read_real(row, at, member);
    case QUERY_STRING:
    case QUERY_COPY:
        return read_text(row, at, column, member);
    case QUERY_OTHER:
        return column->read(row, at, member);
    }
    return STORE_OK;
}

static enum store_status read_record(const struct query *query, void *record)
{
    const struct query_record *kind = query->record;
    enum store_status status = STORE_OK;
    memset(record, 0, kind->size);
    for (int i = 0; status == STORE_OK && kind->columns[i].sql != NULL; i++)
        status = read_column(query->statement, i, &kind->columns[i],
                             (char *)record + kind->columns[i].offset);
    if (status == STORE_OK && kind->holds != NULL && !kind->holds(record))
        status = STORE_CORRUPT;
    if (status != STORE_OK && kind->finish != NULL)
        kind->finish(record);
    return status;
}

/* One of many rows. */
static enum store_status read_listed(const struct query *query, void *record)
{
    const struct query_column *number = query->record->columns;
    const enum store_status status = read_record(query, record);
    if (status != STORE_CORRUPT || !query->record->lists_damaged)
        return status;
    memset(record, 0, query->record->size);
    return read_integer(query->statement, 0, number, (char *)record + number->offset);
}

enum store_status query_row(struct query *query, void *ret_record)
{
    enum store_status status = query_next(query);
    if (status != STORE_OK)
        return status;
    void *record = malloc(query->record->size);
    status = record != NULL ? read_record(query, record) : STORE_NO_MEMORY;
    if (status == STORE_OK)
        memcpy(ret_record, record, query->record->size);
    free(record);
    query_end(query);
    return status;
}

enum store_status query_rows_of(struct query *query, void *records, size_t *ret_count)
{
    const struct query_record *kind = query->record;
    enum store_status status;
    size_t rows = 0, count = 0;
    while ((status = query_next(query)) == STORE_OK) {
        rows++;
        if (sqlite3_column_type(query->statement, 0) == SQLITE_NULL)
            continue;
        status = read_listed(query, (char *)records + count * kind->size);
        if (status != STORE_OK) {
            query_end(query);
            break;
        }
        count++;
    }
    if (status == STORE_NOT_FOUND && rows > 0) {
        *ret_count = count;
        return STORE_OK;
    }
    while (count > 0 && kind->finish != NULL)
        kind->finish((char *)records + --count * kind->size);
    return status;
}

enum store_status query_rows(struct query *query, void *records, size_t *ret_count)
{
    const enum store_status status = query_rows_of(query, records, ret_count);
    if (status != STORE_NOT_FOUND)
        return status;
    *ret_count = 0;
    return STORE_OK;
}

enum store_status query_copy_numbers(sqlite3_stmt *row, int column, size_t rows, size_t columns,
                                     void *ret_numbers)
{
    const void *data = sqlite3_column_blob(row, column);
    const size_t size = (size_t)sqlite3_column_bytes(row, column);
    size_t expected;
    if (__builtin_mul_overflow(rows, columns, &expected) ||
        __builtin_mul_overflow(expected, 4, &expected) || size != expected)
        return STORE_CORRUPT;
    void *numbers = malloc(size + 1);
    if (numbers == NULL || (data == NULL && size > 0)) {
        free(numbers);
        return STORE_NO_MEMORY;
    }
    if (size > 0)
        memcpy(numbers, data, size);
    memcpy(ret_numbers, &numbers, sizeof numbers);
    return STORE_OK;
}

/* --- without a query --- */

enum store_status query_execute(struct store *store, const char *sql)
{
    return query_status(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

enum store_status query_transaction_begin(struct store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0) /* without memory the last one could not end */
        query_execute(store, "ROLLBACK");
    return query_execute(store, "BEGIN IMMEDIATE");
}

enum store_status query_transaction_end(struct store *store, enum store_status status)
{
    if (status == STORE_OK)
        status = query_execute(store, "COMMIT");
    store->retry = NULL;
    /* A failure may have rolled back already: then there is nothing left to undo. */
    if (status != STORE_OK && sqlite3_get_autocommit(store->db) == 0)
        query_execute(store, "ROLLBACK");
    return status;
}
