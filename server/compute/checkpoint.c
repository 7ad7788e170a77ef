#include "server/compute/checkpoint.h"

#include <string.h>

#include "server/base/checksum.h"

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

static bool count_bytes(void *context, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;
    return true;
}

static bool copy_bytes(void *context, const void *bytes, size_t size)
{
    buffer_add(context, bytes, size);
    return true;
}

bool checkpoint_collect(struct checkpoint *checkpoint, struct store_pool *stores,
                        const struct training_state *state)
{
    size_t bytes = 0;
    struct buffer *rest = &checkpoint->rest;
    struct array_record *array = &checkpoint->record.array;
    *checkpoint = (struct checkpoint){.stores = stores};
    training_state_save(state, count_bytes, &bytes);
    if (!buffer_resize(rest, bytes)) {
        checkpoint_discard(checkpoint);
        return false;
    }
    training_state_save(state, copy_bytes, rest);
    array->count = array->bytes = bytes;
    checkpoint->record.epoch = (int64_t)training_state_epochs(state);
    return true;
}

static bool write_chunk(struct checkpoint *checkpoint, const char *bytes)
{
    struct store *store = store_pool_borrow_writer(checkpoint->stores);
    const enum store_status status =
        store_checkpoint_append(store, &checkpoint->record, bytes, CHECKPOINT_CHUNK);
    if (status == STORE_OK)
        count_upload(checkpoint, true);
    return store_pool_return_writer(checkpoint->stores, status) == STORE_OK;
}

bool checkpoint_write(struct checkpoint *checkpoint, const struct stop_check *stop_check)
{
    struct checksum checksum;
    struct buffer *rest = &checkpoint->rest;
    size_t written = 0;
    bool goes_on = true;
    checksum_init(&checksum);
    for (; goes_on && rest->size - written > CHECKPOINT_CHUNK; written += CHECKPOINT_CHUNK) {
        checksum_add(&checksum, rest->bytes + written, CHECKPOINT_CHUNK);
        goes_on =
            !stop_check_requested(stop_check) && write_chunk(checkpoint, rest->bytes + written);
    }
    rest->size -= written;
    memmove(rest->bytes, rest->bytes + written, rest->size);
    if (!goes_on || !buffer_resize(rest, rest->size)) {
        checkpoint_discard(checkpoint);
        return false;
    }
    checksum_add(&checksum, rest->bytes, rest->size);
    checksum_finish(&checksum, checkpoint->record.array.sha256);
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
