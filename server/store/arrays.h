/* arrays.h - arrays of numbers, written chunk by chunk.
 *
 * Each chunk is a transaction of its own, so that a large upload holds the writer only for moments.
 * An array belongs to a dataset once store_dataset_put() has it, or to a run's checkpoint; until
 * then nothing refers to it. */
#ifndef SERVER_STORE_ARRAYS_H
#define SERVER_STORE_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/base/buffer.h"
#include "server/base/checksum.h"
#include "server/base/dtype.h"
#include "server/store/store.h"

struct array_record {
    int64_t id; /* 0: there is no array */
    enum dtype dtype;
    size_t count;
    size_t features;
    size_t bytes;
    char sha256[CHECKSUM_TEXT]; /* of its values, little-endian, row by row */
};

/* Begins an array of the record's dtype and features. */
enum store_status store_array_begin(struct store *store, const struct array_record *array,
                                    int64_t *ret_array);
enum store_status store_array_append(struct store *store, int64_t array, size_t position,
                                     const void *data, size_t bytes);
/* Keeps what is known once every chunk is written: count, bytes and sha256. */
enum store_status store_array_end(struct store *store, const struct array_record *array);
/* Deletes a piece of one that belongs to nothing; only while none is being written.
 * STORE_NOT_FOUND: there is none. */
enum store_status store_array_sweep(struct store *store);
/* Calls each() with one chunk of values after the other, until it returns false. */
enum store_status store_array_scan(struct store *store, const struct array_record *array,
                                   bool (*each)(void *context, const void *data, size_t bytes),
                                   void *context);
/* Puts one chunk into the buffer, in place of what it has. STORE_NOT_FOUND: there is none. */
enum store_status store_array_chunk(struct store *store, int64_t array, size_t position,
                                    struct buffer *buffer);
/* The same, and verifies their number and checksum: what each() was given is of no use if that, or
 * each(), fails. STORE_CORRUPT. */
enum store_status store_array_read(struct store *store, const struct array_record *array,
                                   bool (*each)(void *context, const void *data, size_t bytes),
                                   void *context);
/* The values, read in this way; free(). */
enum store_status store_array_load(struct store *store, const struct array_record *array,
                                   void **ret_values);

#endif
