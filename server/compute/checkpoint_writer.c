#include "server/compute/checkpoint_writer.h"

#include "server/base/timestamp.h"

static bool is_abandoned(void *context)
{
    struct checkpoint_writer *writer = context;
    return atomic_load(&writer->is_abandoned);
}

static void keep(struct checkpoint_writer *writer)
{
    struct checkpoint_end end;
    struct checkpoint *checkpoint = &writer->checkpoint;
    struct store_pool *stores = checkpoint->stores;
    struct store *store = store_pool_borrow_writer(stores);
    const enum store_status status =
        store_checkpoint_keep(store, writer->run, checkpoint_end(checkpoint, &end));
    if (status == STORE_OK)
        checkpoint_kept(checkpoint);
    store_pool_return_writer(stores, status);
    checkpoint_discard(checkpoint);
    store_pool_sweep(stores); /* the one before it */
}

static void *write_and_keep(void *argument)
{
    struct checkpoint_writer *writer = argument;
    const struct stop_check stop_check = {writer, is_abandoned};
    if (checkpoint_write(&writer->checkpoint, &stop_check))
        keep(writer);
    atomic_store(&writer->took_ns, timestamp_monotonic_ns() - writer->begun_ns);
    return NULL;
}

bool checkpoint_writer_begin(struct checkpoint_writer *writer, struct store_pool *stores,
                             int64_t run, const struct training_state *state)
{
    writer->run = run;
    writer->begun_ns = timestamp_monotonic_ns();
    atomic_store(&writer->took_ns, 0);
    atomic_store(&writer->is_abandoned, false);
    if (!checkpoint_collect(&writer->checkpoint, stores, state))
        return false;
    writer->has_thread = pthread_create(&writer->thread, NULL, write_and_keep, writer) == 0;
    if (!writer->has_thread)
        checkpoint_discard(&writer->checkpoint);
    return writer->has_thread;
}

bool checkpoint_writer_has_ended(struct checkpoint_writer *writer)
{
    if (!writer->has_thread || atomic_load(&writer->took_ns) == 0)
        return false;
    checkpoint_writer_abandon(writer);
    return true;
}

void checkpoint_writer_abandon(struct checkpoint_writer *writer)
{
    if (!writer->has_thread)
        return;
    atomic_store(&writer->is_abandoned, true);
    pthread_join(writer->thread, NULL);
    writer->has_thread = false;
}
