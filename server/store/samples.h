/* samples.h - the samples that a run brings along, found by their checksum: training again on the
 * same samples stores nothing again. */
#ifndef SERVER_STORE_SAMPLES_H
#define SERVER_STORE_SAMPLES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/samples.h"
#include "server/base/checksum.h"
#include "server/store/store.h"

/* Those that a run trains on, or is validated on; their checksum verified. STORE_NOT_FOUND: it has
 * none of its own. */
enum store_status store_samples_load(struct store *store, int64_t run, bool validation,
                                     struct samples *ret_samples);

/* Those of a row, whichever runs have them; their checksum verified. */
enum store_status store_samples_find(struct store *store, int64_t id, struct samples *ret_samples);

/* It takes long for large samples: it is computed before the writer is borrowed. */
void store_samples_checksum(const struct samples *samples, char ret_sha256[CHECKSUM_TEXT]);

/* Within a transaction of the caller's: the row that holds these samples, whose checksum this is,
 * inserted unless it is there. */
enum store_status store_samples_insert(struct store *store, const struct samples *samples,
                                       const char *sha256, int64_t *ret_id);
/* Deletes a piece of those that no run refers to. STORE_NOT_FOUND: there are none. */
enum store_status store_samples_sweep(struct store *store);

#endif
