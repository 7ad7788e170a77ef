/* array_upload.h - writes an array into the store, in chunks.
 *
 * An upload that fails deletes its chunks. If they can't be deleted because the disk is full, they
 * are deleted when a later upload begins while no other goes on, or at the next start. */
#ifndef SERVER_API_ARRAY_UPLOAD_H
#define SERVER_API_ARRAY_UPLOAD_H

#include "server/base/checksum.h"
#include "server/base/problem.h"
#include "server/store/arrays.h"
#include "server/store/pool.h"

enum { ARRAY_UPLOAD_CHUNK = 4 * 1024 * 1024 }; /* bytes that one call adds at most */

struct array_upload {
    struct store_pool *stores; /* borrowed */
    struct checksum checksum;
    size_t chunks;
    struct array_record array; /* what the store knows of it; complete after array_upload_end() */
};

/* Begins an upload, and adds rows to it. False with the problem set. */
bool array_upload_begin(struct array_upload *upload, struct store_pool *stores, enum dtype dtype,
                        size_t features, struct problem *problem);
bool array_upload_add(struct array_upload *upload, const void *rows, size_t bytes,
                      struct problem *problem);

/* All rows are there: upload->array is complete, and may become part of a dataset. */
void array_upload_end(struct array_upload *upload);

/* Deletes what was uploaded, unless it is now part of a dataset. Does nothing on a zeroed upload.
 */
void array_upload_finish(struct array_upload *upload, bool is_published);

#endif
