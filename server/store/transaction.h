/* transaction.h - several queries that happen wholly or not at all. */
#ifndef SERVER_STORE_TRANSACTION_H
#define SERVER_STORE_TRANSACTION_H

#include "server/store/store.h"

/* Takes the database's write lock. */
enum store_status transaction_begin(struct store *store);
/* Commits if `status` is STORE_OK, and else rolls back and returns it; does nothing if
 * transaction_begin() failed with it. */
enum store_status transaction_end(struct store *store, enum store_status status);

#endif
