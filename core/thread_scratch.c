#include "core/thread_scratch.h"

void thread_scratch_init(struct thread_scratch *scratch, const struct network *network,
                         size_t capacity, size_t pixels, struct arena *arena)
{
    const size_t widest = network_widest_hidden(network);
    const bool has_peaks = network->depth > 1 && network->params.hidden_spike == HIDDEN_PEAK;
    const size_t voltages = has_peaks ? network->params.tempotron.T * BLOCK_NEURONS : 0;
    *scratch = (struct thread_scratch){
        .time_gradient = arena_place(arena, widest, sizeof *scratch->time_gradient),
        .v = arena_place(arena, voltages, sizeof *scratch->v),
        .amounts = arena_place(arena, voltages, sizeof *scratch->amounts),
        .image = arena_place(arena, pixels, sizeof *scratch->image),
    };
    reading_scratch_init(&scratch->reading, network, capacity, true, arena);
    credit_init(&scratch->credit, network_widest_block(network),
                capacity > widest ? capacity : widest, arena);
}
