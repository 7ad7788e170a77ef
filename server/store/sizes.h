/* sizes.h - how large the texts are that a call would read, without reading them: whether it is
 * little work to show what they describe. A size that can't be told is 0; the call that reads says
 * what is wrong. */
#ifndef SERVER_STORE_SIZES_H
#define SERVER_STORE_SIZES_H

#include <stddef.h>
#include <stdint.h>

#include "server/store/store.h"

/* Bytes of a model: its texts and, if these are not more than `enough`, the tensors of the version
 * that it serves whose names begin with the prefix, as text. */
size_t store_size_of_model(struct store *store, const char *id, const char *prefix, size_t enough);
size_t store_size_of_dataset(struct store *store, const char *id);

/* Bytes that the rows of a page of a listing have, read or not: what is long lies in the way. */
size_t store_size_of_models(struct store *store, int64_t before, size_t limit);
size_t store_size_of_datasets(struct store *store, int64_t before, size_t limit);

#endif
