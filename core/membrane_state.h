/* membrane_state.h - a vector of neurons on the grid: each one's two numbers (see psp_kernel.h).
 *
 * Backwards in time the same recursion holds for the loss's derivatives. For code that is compiled
 * as part of a VECTORIZED function. */
#ifndef CORE_MEMBRANE_STATE_H
#define CORE_MEMBRANE_STATE_H

#include <stddef.h>

#include "core/psp_kernel.h"
#include "core/simd.h"

struct membrane_state {
    struct double_lanes v; /* the voltage */
    struct double_lanes m; /* the sum of slow exponentials that drives it */
};

/* One step, at whose end `drive` comes in. */
INLINED void membrane_state_advance(const struct psp *psp, const lanes *drive,
                                    struct membrane_state *state)
{
    struct double_lanes in;
    lanes_widen(drive, &in);
    state->v.low = psp->decay_s * state->v.low + psp->gain * state->m.low;
    state->v.high = psp->decay_s * state->v.high + psp->gain * state->m.high;
    state->m.low = psp->decay * state->m.low + in.low;
    state->m.high = psp->decay * state->m.high + in.high;
}

INLINED void membrane_state_settle_half(half_double_lanes *numbers)
{
    const half_long_lanes is_negligible =
        (*numbers < psp_negligible) & (*numbers > -psp_negligible);
    *numbers = (half_double_lanes)(~is_negligible & (half_long_lanes)*numbers);
}

/* psp_settle() for all numbers, in the steps in which they are due. */
INLINED void membrane_state_settle(struct membrane_state *state, size_t step)
{
    if (step % PSP_SETTLES != 0)
        return;
    membrane_state_settle_half(&state->v.low);
    membrane_state_settle_half(&state->v.high);
    membrane_state_settle_half(&state->m.low);
    membrane_state_settle_half(&state->m.high);
}

#endif
