/* rounding.h - a rintf() that becomes vector code. */
#ifndef CORE_ROUNDING_H
#define CORE_ROUNDING_H

#include "core/simd.h"

/* rintf(), half to even, for 0 <= x <= 2^22: by adding and taking away 1.5 * 2^23. */
INLINED float round_to_even(float x)
{
    static const float rounding = 12582912;
    return (x + rounding) - rounding;
}

#endif
