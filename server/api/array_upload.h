/* array_upload.h - an array on its way into the store, in chunks.
 *
 * What could not be deleted, the disk being full, is deleted when the next upload begins while no
 * other goes on, or at the next start. */
#ifndef SERVER_API_ARRAY_UPLOAD_H
#define SERVER_API_ARRAY_UPLOAD_H

#include "server/base/checksum.h"
#include "server/base/problem.h"
#include "server/store/arrays.h"
#include "server/store/pool.h"

enum { UPLOAD_CHUNK = 4 * 1024 * 1024 }; /* bytes; as many as one call should add */

struct array_upload {
    struct store_pool *stores;
    struct checksum checksum;
    size_t chunks;
    struct array_record array;
};

/* Each is false with the problem set. */
bool array_upload_begin(struct array_upload *upload, struct store_pool *stores, enum dtype dtype,
                        size_t features, struct problem *problem);
bool array_upload_add(struct array_upload *upload, const void *rows, size_t bytes,
                      struct problem *problem);

/* All is there: upload->array is complete, and waits for its dataset. */
void array_upload_end(struct array_upload *upload);

/* Unless it now belongs to a dataset, deletes what was uploaded; does nothing on a zeroed one. */
void array_upload_finish(struct array_upload *upload, bool is_published);

#endif
