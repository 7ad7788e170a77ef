/* simd.h - the same C for every width of the processor's registers.
 *
 * The hot functions compute on LANES numbers side by side, one for each of LANES neurons, with the
 * compiler's vector extension: + - * / and comparisons work lane by lane, and no lane depends on
 * another. VECTORIZED compiles a function once for each level of x86-64, and the program picks one
 * when it starts. Without fused or reordered arithmetic (see the Makefile) all of them, and every
 * other processor, give the same bits. */
#ifndef CORE_SIMD_H
#define CORE_SIMD_H

#include <stddef.h>
#include <stdint.h>

enum { LANES = 8, SIMD_ALIGNMENT = 64 };

/* A comparison gives -1 for lanes in which it holds, else 0. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), may_alias));
typedef int32_t int_lanes __attribute__((vector_size(LANES * sizeof(int32_t)), may_alias));
typedef float half_lanes __attribute__((vector_size(LANES / 2 * sizeof(float))));
typedef double half_double_lanes __attribute__((vector_size(LANES / 2 * sizeof(double))));
typedef int64_t half_long_lanes __attribute__((vector_size(LANES / 2 * sizeof(int64_t))));

/* LANES numbers in double precision. They are two vectors, since a single one would go through
 * memory on processors with registers of 32 bytes. */
struct double_lanes {
    half_double_lanes low;
    half_double_lanes high;
};

#if defined(__x86_64__) && !defined(__clang__) && !defined(TEMPOTRON_ONE_LEVEL)
#define VECTORIZED __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define VECTORIZED
#endif

/* The bytes of whole vectors that hold `bytes`, as aligned_alloc() needs them. */
static inline size_t simd_round_up(size_t bytes)
{
    return (bytes + SIMD_ALIGNMENT - 1) / SIMD_ALIGNMENT * SIMD_ALIGNMENT;
}

/* For a function that a VECTORIZED one calls: it must be compiled as part of that one. */
#define INLINED static inline __attribute__((always_inline))

/* rintf(), half to even, for 0 <= x <= 2^22: by adding and taking away 1.5 * 2^23. */
INLINED float round_to_even(float x)
{
    static const float rounding = 12582912;
    return (x + rounding) - rounding;
}

INLINED void lanes_widen(const lanes *narrow, struct double_lanes *wide)
{
    const half_lanes low = __builtin_shufflevector(*narrow, *narrow, 0, 1, 2, 3);
    const half_lanes high = __builtin_shufflevector(*narrow, *narrow, 4, 5, 6, 7);
    wide->low = __builtin_convertvector(low, half_double_lanes);
    wide->high = __builtin_convertvector(high, half_double_lanes);
}

INLINED void lanes_narrow(const struct double_lanes *wide, lanes *narrow)
{
    const half_lanes low = __builtin_convertvector(wide->low, half_lanes);
    const half_lanes high = __builtin_convertvector(wide->high, half_lanes);
    *narrow = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}

#endif
