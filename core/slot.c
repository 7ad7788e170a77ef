#include "core/slot.h"

static const struct layer *last_layer(const struct network *network)
{
    return &network->layers[network->depth - 1];
}

/* The credit may be NULL, in an arena that measures. */
static void init_credit(struct credit *credit, const struct layer *layer, size_t capacity,
                        struct arena *arena)
{
    struct credit measured;
    if (credit == NULL && !arena->measures)
        return;
    for (size_t b = 0; b < layer->block_count; b++)
        credit_init(credit != NULL ? &credit[b] : &measured, layer->blocks[b], capacity, arena);
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
    if (read_out_finds_credit(&network->params.read_out)) {
        credit = arena_place(arena, last->block_count, sizeof *credit);
        init_credit(credit, last, capacity, arena);
    }
    slot->gradients[network->depth - 1].credit = credit;
}

size_t slot_bytes(const struct network *network, size_t capacity)
{
    struct slot slot;
    struct arena arena = {.measures = true};
    slot_init(&slot, network, capacity, &arena);
    return sizeof slot + arena.bytes;
}
