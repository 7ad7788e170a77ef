#include "core/slot.h"

static const struct layer *last_layer(const struct network *network)
{
    return &network->layers[network->depth - 1];
}

size_t slot_bytes(const struct network *network, size_t capacity)
{
    size_t bytes = 16 * (capacity + network_widest_hidden(network));
    if (read_out_finds_credit(&network->params.read_out))
        bytes += 2 * (capacity + 1) * last_layer(network)->width * sizeof(float);
    return bytes;
}

void slot_init(struct slot *slot, const struct network *network, size_t capacity,
               struct arena *arena)
{
    const struct layer *last = last_layer(network);
    struct credit *credit = NULL;
    *slot = (struct slot){0};
    activity_init(&slot->activity, network, capacity, arena);
    for (size_t l = 0; l < network->depth; l++) {
        struct layer_gradient *gradient = &slot->gradients[l];
        gradient->at = arena_place(arena, network->layers[l].width, sizeof *gradient->at);
        gradient->amount = arena_place(arena, network->layers[l].width, sizeof *gradient->amount);
    }
    if (read_out_finds_credit(&network->params.read_out))
        credit = arena_place(arena, last->block_count, sizeof *credit);
    for (size_t b = 0; credit != NULL && b < last->block_count; b++)
        credit_init(&credit[b], last->blocks[b], capacity, arena);
    slot->gradients[network->depth - 1].credit = credit;
}
