#include "server/store/transaction.h"

#include "server/store/query.h"

enum store_status transaction_begin(struct store *store)
{
    return query_execute(store, "BEGIN IMMEDIATE");
}

enum store_status transaction_end(struct store *store, enum store_status status)
{
    if (status == STORE_OK)
        status = query_execute(store, "COMMIT");
    /* A failure may have rolled back already: then there is nothing left to undo. */
    if (status != STORE_OK && sqlite3_get_autocommit(store->db) == 0)
        query_execute(store, "ROLLBACK");
    return status;
}
