#include "core/slot.h"

#include <stdlib.h>

#include "core/arena.h"

static const struct layer *last_layer(const struct network *network)
{
    return &network->layers[network->depth - 1];
}

size_t slot_bytes(const struct network *network, size_t capacity)
{
    size_t widest_hidden = 1, bytes = 0;
    for (size_t l = 0; l + 1 < network->depth; l++)
        if (network->layers[l].width > widest_hidden)
            widest_hidden = network->layers[l].width;
    if (read_out_finds_credit(&network->params.read_out))
        bytes = 2 * (capacity + 1) * last_layer(network)->width * sizeof(float);
    return bytes + 16 * (capacity + widest_hidden);
}

static void lay_out(struct slot *slot, const struct network *network, struct arena *arena)
{
    for (size_t l = 0; l < network->depth; l++) {
        const size_t width = network->layers[l].width;
        slot->gradients[l].at = arena_place(arena, width, sizeof(double));
        slot->gradients[l].amount = arena_place(arena, width, sizeof(float));
    }
}

static enum core_status init_credit(struct slot *slot, const struct network *network,
                                    size_t capacity)
{
    const struct layer *last = last_layer(network);
    enum core_status status = CORE_OK;
    if (!read_out_finds_credit(&network->params.read_out))
        return CORE_OK;
    slot->credit = calloc(last->block_count, sizeof *slot->credit);
    if (slot->credit == NULL)
        return CORE_NO_MEMORY;
    slot->credit_count = last->block_count;
    slot->gradients[network->depth - 1].credit = slot->credit;
    for (size_t b = 0; status == CORE_OK && b < last->block_count; b++)
        status = credit_init(&slot->credit[b], last->blocks[b], capacity);
    return status;
}

enum core_status slot_init(struct slot *slot, const struct network *network, size_t capacity)
{
    struct arena arena = {0};
    *slot = (struct slot){0};
    lay_out(slot, network, &arena);
    if (!arena_allocate(&arena))
        return CORE_NO_MEMORY;
    lay_out(slot, network, &arena);
    slot->memory = arena.memory;
    enum core_status status = activity_init(&slot->activity, network, capacity);
    if (status == CORE_OK)
        status = init_credit(slot, network, capacity);
    if (status != CORE_OK)
        slot_finish(slot);
    return status;
}

void slot_finish(struct slot *slot)
{
    for (size_t b = 0; b < slot->credit_count; b++)
        credit_finish(&slot->credit[b]);
    free(slot->credit);
    activity_finish(&slot->activity);
    free(slot->memory);
    *slot = (struct slot){0};
}
