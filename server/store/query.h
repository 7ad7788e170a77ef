/* query.h - what the store*.c files share: the connection, its statements, transactions.
 *
 * A query is prepared once for each connection and found again by the address of its SQL, which
 * stands beside its only user. Binding goes from left to right, errors are kept until the query is
 * run. */
#ifndef SERVER_STORE_QUERY_H
#define SERVER_STORE_QUERY_H

#include <sqlite3.h>

#include "server/store/store.h"

enum { STORE_STATEMENTS = 64 };

struct store {
    sqlite3 *db;
    int claim; /* the writer's lock file; -1: a reader */
    struct {
        const char *sql;
        sqlite3_stmt *statement;
    } statements[STORE_STATEMENTS];
    unsigned statement_count;
};

/* What SQLite's result code means. */
enum store_status store_status_of(int result);

struct query {
    struct store *store;
    sqlite3_stmt *statement;
    int bound;  /* parameters so far */
    int result; /* SQLITE_OK so far */
};

struct query query_begin(struct store *store, const char *sql);
void query_integer(struct query *query, int64_t value);
void query_integer_or_null(struct query *query, int64_t value); /* 0: NULL */
void query_real(struct query *query, double value);             /* NaN: NULL */
void query_text(struct query *query, const char *value);        /* NULL: NULL; borrowed */
void query_blob(struct query *query, const void *data, size_t size);
void query_zeros(struct query *query, size_t size); /* a BLOB of so many bytes */

/* Steps to the next row: STORE_OK with a row, STORE_NOT_FOUND after the last. */
enum store_status query_next(struct query *query);
/* Ends a query before its last row; not needed after another answer of query_next. */
void query_end(struct query *query);
/* Runs a query that has no rows. */
enum store_status query_run(struct query *query);

/* Column readers of the present row. */
int64_t query_column(const struct query *query, int column);          /* NULL: 0 */
double query_column_real(const struct query *query, int column);      /* NULL: NaN */
const char *query_column_text(const struct query *query, int column); /* NULL: NULL */
/* A BLOB of rows * columns numbers of four bytes; NULL where it isn't, or where there are none. */
const void *query_column_blob(const struct query *query, int column, size_t rows, size_t columns);
/* A BLOB of any size; NULL where there is none. */
const void *query_column_bytes(const struct query *query, int column, size_t *ret_size);
/* Copies, NULL for NULL; *failed is set where there is no memory. free(). */
char *query_column_copy(const struct query *query, int column, bool *failed);

/* Runs SQL that is neither prepared nor bound. */
enum store_status store_execute(struct store *store, const char *sql);

/* BEGIN IMMEDIATE; and COMMIT where `status` is STORE_OK, else ROLLBACK, which returns `status`. */
enum store_status store_begin(struct store *store);
enum store_status store_end(struct store *store, enum store_status status);

/* --- shared between the tables' files --- */

/* The models.sequence of an id. STORE_NOT_FOUND. */
enum store_status store_model_sequence(struct store *store, const char *id, int64_t *ret_sequence);
/* Whether the model of this sequence is there: STORE_OK or STORE_NOT_FOUND. */
enum store_status store_model_exists(struct store *store, int64_t model);

/* Inside a transaction: the next version of a model, served from now on. run 0: none. */
enum store_status store_version_publish(struct store *store, int64_t model, int64_t run,
                                        const struct tensor *tensors, size_t count, int64_t now,
                                        int64_t *ret_version);

/* Inside a transaction: the row that holds these samples, inserted unless it is there. */
enum store_status store_samples_insert(struct store *store, const struct samples *samples,
                                       int64_t *ret_id, char ret_sha256[65]);
/* Inside a transaction: deletes samples that no run refers to. */
enum store_status store_samples_prune(struct store *store);

/* store_migrate.c */
enum store_status store_migrate(struct store *store);

#endif
