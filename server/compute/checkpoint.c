#include "server/compute/checkpoint.h"

#include <string.h>

enum { CHUNK = 4 * 1024 * 1024 }; /* bytes that one write adds at most */

/* --- into the store --- */

/* Uploads that go on are not taken for leftovers. */
static void count_upload(struct checkpoint *checkpoint, bool is_uploading)
{
    struct uploads *uploads = store_pool_uploads(checkpoint->stores);
    if (is_uploading && !checkpoint->is_uploading)
        uploads->going_on++;
    if (!is_uploading && checkpoint->is_uploading)
        uploads->going_on--;
    checkpoint->is_uploading = is_uploading;
}

static bool write_chunk(struct checkpoint *checkpoint)
{
    struct buffer *rest = &checkpoint->rest;
    struct store *store = store_pool_borrow_writer(checkpoint->stores);
    const enum store_status status =
        store_checkpoint_append(store, &checkpoint->record, rest->items, rest->size);
    if (status == STORE_OK)
        count_upload(checkpoint, true);
    rest->size = 0;
    return store_pool_return_writer(checkpoint->stores, status) == STORE_OK;
}

static bool add(void *context, const void *bytes, size_t size)
{
    struct checkpoint *checkpoint = context;
    struct buffer *rest = &checkpoint->rest;
    checksum_add(&checkpoint->checksum, bytes, size);
    checkpoint->record.array.bytes += size;
    for (size_t done = 0; done < size;) {
        if (rest->size == CHUNK && !write_chunk(checkpoint))
            return false;
        const size_t left = size - done, room = CHUNK - rest->size;
        const size_t part = left < room ? left : room;
        buffer_add(rest, (const char *)bytes + done, part);
        if (rest->failed)
            return false;
        done += part;
    }
    return true;
}

bool checkpoint_collect(struct checkpoint *checkpoint, struct store_pool *stores,
                        const struct training_state *state)
{
    *checkpoint = (struct checkpoint){.stores = stores};
    checksum_init(&checkpoint->checksum);
    if (!training_state_save(state, add, checkpoint)) {
        checkpoint_discard(checkpoint);
        return false;
    }
    struct array_record *array = &checkpoint->record.array;
    array->count = array->bytes;
    checkpoint->record.epoch = (int64_t)training_state_epochs(state);
    checksum_finish(&checkpoint->checksum, array->sha256);
    return true;
}

const struct checkpoint_end *checkpoint_end(const struct checkpoint *checkpoint,
                                            struct checkpoint_end *end)
{
    if (checkpoint->stores == NULL)
        return NULL;
    *end =
        (struct checkpoint_end){&checkpoint->record, checkpoint->rest.items, checkpoint->rest.size};
    return end;
}

static void forget(struct checkpoint *checkpoint)
{
    buffer_finish(&checkpoint->rest);
    *checkpoint = (struct checkpoint){0};
}

void checkpoint_kept(struct checkpoint *checkpoint)
{
    if (checkpoint->stores == NULL)
        return;
    count_upload(checkpoint, false);
    forget(checkpoint);
}

/* Its chunks belong to nothing then. */
void checkpoint_discard(struct checkpoint *checkpoint)
{
    if (checkpoint->stores != NULL && checkpoint->is_uploading) {
        store_pool_borrow_writer(checkpoint->stores);
        count_upload(checkpoint, false);
        store_pool_return_writer(checkpoint->stores, STORE_NOT_FOUND); /* nothing was written */
        store_pool_sweep(checkpoint->stores);
    }
    forget(checkpoint);
}

/* --- and back --- */

struct source {
    struct store *store;
    struct checkpoint_record record;
    struct buffer chunk;
    size_t taken; /* bytes of the chunk */
    enum store_status status;
};

static bool next_chunk(struct source *source)
{
    source->taken = 0;
    source->status = store_array_chunk(source->store, source->record.array.id,
                                       source->record.chunks++, &source->chunk);
    return source->status == STORE_OK && source->chunk.size > 0;
}

static bool take(void *context, void *ret_bytes, size_t size)
{
    struct source *source = context;
    for (size_t done = 0; done < size;) {
        if (source->taken == source->chunk.size && !next_chunk(source))
            return false;
        const size_t left = size - done, there = source->chunk.size - source->taken;
        const size_t part = left < there ? left : there;
        memcpy((char *)ret_bytes + done, source->chunk.bytes + source->taken, part);
        source->taken += part;
        done += part;
    }
    return true;
}

/* The checksum was verified, so bytes that do not suit are those of another program. */
static enum store_status restore(struct source *source, struct training_state *state)
{
    const bool restored = training_state_restore(state, take, source);
    if (restored && (int64_t)training_state_epochs(state) == source->record.epoch)
        return STORE_OK;
    return source->status == STORE_OK || source->status == STORE_NOT_FOUND ? STORE_CORRUPT
                                                                           : source->status;
}

enum store_status checkpoint_restore(struct store_pool *stores, int64_t run,
                                     struct training_state *state)
{
    struct source source = {0};
    enum store_status status = store_pool_borrow_reader(stores, &source.store);
    if (status != STORE_OK)
        return status;
    status = store_checkpoint_find(source.store, run, &source.record);
    if (status == STORE_OK)
        status = restore(&source, state);
    buffer_finish(&source.chunk);
    store_pool_return_reader(stores, source.store);
    return status;
}
