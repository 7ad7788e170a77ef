#include "core/intervals.h"

#include <string.h>

#include "core/exponential.h"
#include "core/simd.h"

struct time_constants time_constants(const struct psp *psp)
{
    if (psp->tau > psp->tau_s)
        return (struct time_constants){.slow = psp->tau, .fast = psp->tau_s, .v0 = psp->v0};
    return (struct time_constants){.slow = psp->tau_s, .fast = psp->tau, .v0 = -psp->v0};
}

/* --- the order of time --- */

enum { DIGIT_BITS = 11, DIGITS = 1 << DIGIT_BITS };

/* Times that are not negative are in the order of their bits as integers. */
static uint32_t digit_of(float time, unsigned shift)
{
    uint32_t bits;
    memcpy(&bits, &time, sizeof bits);
    return (bits >> shift) % DIGITS;
}

/* One pass of a radix sort. */
static void sort_by_digit(const struct pattern *pattern, const uint32_t *from, uint32_t *to,
                          unsigned shift)
{
    uint32_t first[DIGITS + 1] = {0};
    for (size_t i = 0; i < pattern->count; i++)
        first[digit_of(pattern->time[from[i]], shift) + 1]++;
    for (size_t digit = 0; digit < DIGITS; digit++)
        first[digit + 1] += first[digit];
    for (size_t i = 0; i < pattern->count; i++)
        to[first[digit_of(pattern->time[from[i]], shift)]++] = from[i];
}

void intervals_sort_by_time(const struct pattern *pattern, uint32_t *order, uint32_t *buffer)
{
    for (size_t i = 0; i < pattern->count; i++)
        buffer[i] = (uint32_t)i;
    sort_by_digit(pattern, buffer, order, 0);
    sort_by_digit(pattern, order, buffer, DIGIT_BITS);
    sort_by_digit(pattern, buffer, order, 2 * DIGIT_BITS);
}

/* --- decays --- */

VECTORIZED void intervals_find_decays(const struct pattern *pattern, const uint32_t *order,
                                      double T, const struct time_constants *constants,
                                      double *restrict decay_slow, double *restrict decay_fast,
                                      double *restrict decay_turn)
{
    const size_t count = pattern->count;
    const double slow = constants->slow, fast = constants->fast;
    double now = 0;
    for (size_t e = 0; e <= count; e++) {
        const double next = e < count ? (double)pattern->time[order[e]] : T;
        decay_turn[e] = now - next;
        now = next;
    }
    for (size_t e = 0; e <= count; e++) {
        const double length = decay_turn[e];
        decay_slow[e] = exp_nonpositive(length / slow);
        decay_fast[e] = exp_nonpositive(length / fast);
        decay_turn[e] = exp_nonpositive(length * (1 / fast - 1 / slow));
    }
}
