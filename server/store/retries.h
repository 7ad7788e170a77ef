/* retries.h - requests that a client may send again: what the first one made is kept with its key
 * for a day, in the transaction that makes it. */
#ifndef SERVER_STORE_RETRIES_H
#define SERVER_STORE_RETRIES_H

#include <stdint.h>

#include "server/base/checksum.h"
#include "server/base/limits.h"
#include "server/store/store.h"

struct retry {
    char key[LIMIT_IDEMPOTENCY_KEY + 1]; /* "": the request has none */
    char request_sha256[CHECKSUM_TEXT];
    int64_t made; /* by the first request with this key: the number of a model or a run */
};

/* STORE_OK: a request with this key was answered, and retry->made says what it made.
 * STORE_NOT_FOUND: there was none. STORE_OTHER_REQUEST: it was another request. */
enum store_status store_retry_find(struct store *store, int64_t now, struct retry *retry);
/* The same on the writer; if there was none, the transaction that comes next keeps the key
 * (borrowed until then) with what it makes. */
enum store_status store_retry_begin(struct store *store, int64_t now, struct retry *retry);
/* Within a transaction of the caller's, which makes a model or a run of this number. */
enum store_status store_retry_keep(struct store *store, int64_t made, int64_t now);

#endif
