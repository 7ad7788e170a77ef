/* query.h - statements: prepared once for each connection, bound, stepped, read.
 *
 * A query is found again by the address of its SQL, which stands beside its only user. Parameters
 * are bound from left to right; an error is kept until the query is run. What a SELECT asks for and
 * where it goes are one table, a query_record. */
#ifndef SERVER_STORE_QUERY_H
#define SERVER_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "server/store/claim.h"
#include "server/store/store.h"

enum { STORE_STATEMENTS = 96 };

struct statement {
    const struct query_record *record;
    const char *sql;
    sqlite3_stmt *statement;
};

struct store {
    sqlite3 *db;
    struct claim claim; /* the writer's */
    struct statement statements[STORE_STATEMENTS];
    unsigned statement_count;
    const struct retry *retry; /* that the next transaction keeps; NULL: none */
    struct store *next_idle;   /* the pool's */
};

/* What SQLite's result code means. */
enum store_status query_status(int result);

struct query {
    const struct query_record *record;
    sqlite3_stmt *statement;
    int bound;  /* parameters so far */
    int result; /* SQLITE_OK so far */
};

/* --- records: what a row becomes --- */

enum query_kind {
    QUERY_OTHER,
    QUERY_INTEGER, /* int64_t, size_t, or bool for 0 and 1; NULL: 0 */
    QUERY_REAL,    /* double; NULL: NaN */
    QUERY_STRING,  /* char[], which must hold it with its NUL; NULL: "" */
    QUERY_COPY     /* char *, owned; NULL: NULL */
};

/* A value of another type, a number out of its bounds, and a text that is too long or not UTF-8 are
 * damage: STORE_CORRUPT. */

struct query_column {
    const char *sql;
    enum query_kind kind;
    size_t offset, size; /* of the member that it becomes */
    /* Reads QUERY_OTHER into the member at the offset; 0: into the record, read so far. */
    enum store_status (*read)(sqlite3_stmt *row, int column, void *ret_member);
    /* The bounds of a number; NULL reads as 0, and max 0 is the greatest of its type. A text has
     * at least min bytes. */
    int64_t min, max;
};

struct query_record {
    size_t size;
    void (*finish)(void *record); /* takes one that was read in part, too; NULL: it owns nothing */
    const struct query_column *columns; /* read in this order; the last one has no SQL */
    /* Whether what was read goes together; else it is damaged. NULL: it does. */
    bool (*holds)(const void *record);
    /* In a list, a damaged row is all zeros except its first column, a number. */
    bool lists_damaged;
};

/* A column and the member of struct `record` that it becomes, which says the kind. Bounds follow:
 * .min = 1. */
#define QUERY_COLUMN(column, record, member, ...)                                                  \
    {                                                                                              \
        .sql = column, .kind = QUERY_KIND(((struct record *)0)->member),                           \
        .offset = offsetof(struct record, member), .size = sizeof((struct record *)0)->member,     \
        __VA_ARGS__                                                                                \
    }
/* A condition of SQL; a row for which it is not true is damaged. */
#define QUERY_HOLDS(condition)                                                                     \
    {                                                                                              \
        .sql = condition, .read = query_holds                                                      \
    }
#define QUERY_KIND(member)                                                                         \
    _Generic(&(member),                                                                            \
        int64_t *: QUERY_INTEGER,                                                                  \
        size_t *: QUERY_INTEGER,                                                                   \
        bool *: QUERY_INTEGER,                                                                     \
        double *: QUERY_REAL,                                                                      \
        char **: QUERY_COPY,                                                                       \
        char(*)[sizeof(member)]: QUERY_STRING)

/* --- making --- */

struct query query_begin(struct store *store, const char *sql);
/* A SELECT of the record's columns; `rest` is the SQL that follows them. */
struct query query_select(struct store *store, const struct query_record *record, const char *rest);
void query_integer(struct query *query, int64_t value);
void query_integer_or_null(struct query *query, int64_t value);      /* 0: NULL */
void query_real(struct query *query, double value);                  /* NaN: NULL */
void query_text(struct query *query, const char *value);             /* NULL: NULL; borrowed */
void query_text_or_null(struct query *query, const char *value);     /* "": NULL; borrowed */
void query_blob(struct query *query, const void *data, size_t size); /* NULL: NULL */
/* Two parameters of a listing: the number that all have to be below (0: none), and their LIMIT. */
void query_page(struct query *query, int64_t before, size_t limit);

/* --- running --- */

/* Steps to the next row: STORE_OK with a row, STORE_NOT_FOUND after the last. */
enum store_status query_next(struct query *query);
/* Ends a query before its last row; not needed after any other answer of query_next(). A failure
 * is that of a change that had rows to return. */
enum store_status query_end(struct query *query);

/* Runs a query whose rows, if there are any, do not matter. */
enum store_status query_run(struct query *query);
/* Runs a query that changes rows. STORE_NOT_FOUND: there were none. RETURNING is slower. */
enum store_status query_change(struct query *query);
/* Runs a query to know whether it has a row: STORE_OK or STORE_NOT_FOUND. */
enum store_status query_exists(struct query *query);
/* Runs a query that must not have a row: STORE_OK, or `found` if it has one. */
enum store_status query_refuse(struct query *query, enum store_status found);
/* The number in the first row's only column. STORE_NOT_FOUND: there is no row. */
enum store_status query_number(struct query *query, int64_t *ret_number);

/* The first row of a query_select(). STORE_NOT_FOUND: there is no row. */
enum store_status query_row(struct query *query, void *ret_record);
/* Every row of a query_select(), in order; records has room for as many as the query's LIMIT. */
enum store_status query_rows(struct query *query, void *records, size_t *ret_count);
/* The same for what belongs to something: a row whose first column is NULL says only that this is
 * there. STORE_NOT_FOUND: there is no row at all. */
enum store_status query_rows_of(struct query *query, void *records, size_t *ret_count);

/* The reader of QUERY_HOLDS. */
enum store_status query_holds(sqlite3_stmt *row, int column, void *unused);

/* Copies a BLOB of rows * columns numbers of four bytes into the pointer at ret_numbers; free().
 * STORE_CORRUPT: it has another size. */
enum store_status query_copy_numbers(sqlite3_stmt *row, int column, size_t rows, size_t columns,
                                     void *ret_numbers);

/* What one transaction deletes of what belongs to nothing, in SQL: a few milliseconds. */
#define QUERY_SWEPT_BYTES "16777216" /* and no row after so many */
#define QUERY_SWEPT_ROW   "65536"    /* that a row counts as, besides its own */
#define QUERY_SWEPT_ROWS  "256"      /* as many as these fill */

/* --- without a query --- */

/* Runs SQL that is neither prepared nor bound. */
enum store_status query_execute(struct store *store, const char *sql);

/* Begins a transaction: what follows happens wholly or not at all. Takes the database's write lock.
 */
enum store_status query_transaction_begin(struct store *store);
/* Commits if `status` is STORE_OK, and else rolls back and returns it; does nothing if
 * query_transaction_begin() failed with it. */
enum store_status query_transaction_end(struct store *store, enum store_status status);

#endif
