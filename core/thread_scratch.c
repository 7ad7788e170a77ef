#include "core/thread_scratch.h"

#include <stdlib.h>

#include "core/arena.h"

static size_t widest_hidden(const struct network *network)
{
    size_t widest = 1;
    for (size_t l = 0; l + 1 < network->depth; l++)
        if (network->layers[l].width > widest)
            widest = network->layers[l].width;
    return widest;
}

static void lay_out(struct thread_scratch *scratch, const struct network *network, size_t pixels,
                    struct arena *arena)
{
    const bool has_peaks = network->depth > 1 && network->params.hidden_spike == HIDDEN_PEAK;
    const size_t voltages = has_peaks ? network->params.tempotron.T * BLOCK_NEURONS : 0;
    scratch->time_gradient =
        arena_place(arena, widest_hidden(network), sizeof *scratch->time_gradient);
    scratch->v = arena_place(arena, voltages, sizeof *scratch->v);
    scratch->amounts = arena_place(arena, voltages, sizeof *scratch->amounts);
    scratch->image = arena_place(arena, pixels, sizeof *scratch->image);
}

enum core_status thread_scratch_init(struct thread_scratch *scratch, const struct network *network,
                                     size_t capacity, size_t pixels)
{
    const size_t widest = widest_hidden(network);
    struct arena arena = {0};
    *scratch = (struct thread_scratch){0};
    lay_out(scratch, network, pixels, &arena);
    if (!arena_allocate(&arena))
        return CORE_NO_MEMORY;
    lay_out(scratch, network, pixels, &arena);
    scratch->memory = arena.memory;
    enum core_status status = reading_scratch_init(&scratch->reading, network, capacity, true);
    if (status == CORE_OK)
        status = credit_init(&scratch->credit, network_widest_block(network),
                             capacity > widest ? capacity : widest);
    if (status != CORE_OK)
        thread_scratch_finish(scratch);
    return status;
}

void thread_scratch_finish(struct thread_scratch *scratch)
{
    reading_scratch_finish(&scratch->reading);
    credit_finish(&scratch->credit);
    free(scratch->memory);
    *scratch = (struct thread_scratch){0};
}
