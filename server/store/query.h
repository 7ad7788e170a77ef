/* query.h - statements: prepared once for each connection, bound, stepped, read.
 *
 * A query is found again by the address of its SQL, which stands beside its only user. Parameters
 * are bound from left to right; an error is kept until the query is run. The columns of a row are
 * read from left to right as well, each once. */
#ifndef SERVER_STORE_QUERY_H
#define SERVER_STORE_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include "server/store/store.h"

enum { STORE_STATEMENTS = 64, NO_CLAIM = -1 };

struct store {
    sqlite3 *db;
    int claim; /* the writer's lock file, or NO_CLAIM */
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } statements[STORE_STATEMENTS];
    unsigned statement_count;
    struct store *next_idle; /* the pool's */
};

/* What SQLite's result code means. */
enum store_status query_status(int result);

struct query {
    struct store *store;
    sqlite3_stmt *statement;
    int bound;  /* parameters so far */
    int read;   /* columns of the present row so far */
    int result; /* SQLITE_OK so far */
};

struct query query_begin(struct store *store, const char *sql);
void query_integer(struct query *query, int64_t value);
void query_integer_or_null(struct query *query, int64_t value);      /* 0: NULL */
void query_real(struct query *query, double value);                  /* NaN: NULL */
void query_text(struct query *query, const char *value);             /* NULL: NULL; borrowed */
void query_text_or_null(struct query *query, const char *value);     /* "": NULL; borrowed */
void query_blob(struct query *query, const void *data, size_t size); /* NULL: NULL */
void query_zeros(struct query *query, size_t size);                  /* a BLOB of that many bytes */
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
/* Runs a query to know whether it has a row: STORE_OK or STORE_NOT_FOUND. */
enum store_status query_exists(struct query *query);
/* Runs a query that must not have a row: STORE_OK, or `found` if it has one. */
enum store_status query_refuse(struct query *query, enum store_status found);
/* The number in the first row's only column. STORE_NOT_FOUND: there is no row. */
enum store_status query_number(struct query *query, int64_t *ret_number);

/* What a row becomes. */
struct query_record {
    size_t size;
    enum store_status (*read)(struct query *query, void *ret_record);
    void (*finish)(void *record); /* NULL: a record owns nothing */
};
/* The first row. STORE_NOT_FOUND: there is no row. */
enum store_status query_row(struct query *query, const struct query_record *kind, void *ret_record);
/* Every row, in order; records has room for as many as the query's LIMIT. */
enum store_status query_rows(struct query *query, const struct query_record *kind, void *records,
                             size_t *ret_count);

/* --- the next column of the present row --- */

int64_t query_column(struct query *query);          /* NULL: 0 */
double query_column_real(struct query *query);      /* NULL: NaN */
const char *query_column_text(struct query *query); /* NULL: NULL */
/* Writes a text, cut to `size` bytes with its NUL; NULL: "". */
void query_column_string(struct query *query, char *out, size_t size);
/* Copies a text, NULL for NULL; sets *failed if there is no memory. free(). */
char *query_column_copy(struct query *query, bool *failed);
/* Copies a BLOB of rows * columns numbers of four bytes into the pointer at ret_numbers; free().
 * STORE_CORRUPT: it has another size. */
enum store_status query_column_numbers(struct query *query, size_t rows, size_t columns,
                                       void *ret_numbers);
/* A BLOB of any size; NULL: it is empty. */
const void *query_column_bytes(struct query *query, size_t *ret_size);

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
