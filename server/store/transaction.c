#include "server/store/transaction.h"

#include "server/store/query.h"

enum store_status transaction_begin(struct store *store)
{
    struct query query = query_begin(store, "BEGIN IMMEDIATE");
    return query_run(&query);
}

enum store_status transaction_end(struct store *store, enum store_status status)
{
    if (status == STORE_OK) {
        struct query commit = query_begin(store, "COMMIT");
        status = query_run(&commit);
    }
    /* A failure may have rolled back already: then there is nothing left to undo. */
    if (status != STORE_OK && sqlite3_get_autocommit(store->db) == 0) {
        struct query rollback = query_begin(store, "ROLLBACK");
        query_run(&rollback);
    }
    return status;
}
