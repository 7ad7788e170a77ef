/* exponential.h - exp(x) for x <= 0, the same bits on every machine.
 *
 * libm picks its exp by the processor, and the variants differ in the last bit. This one is
 * plain C in double precision: x = k ln 2 + r with |r| <= ln 2 / 2, and a Taylor polynomial of
 * degree 12 in r (error below 1e-15), far more than a result rounded to float32 needs. */
#ifndef CORE_EXPONENTIAL_H
#define CORE_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

/* 0 where x < -700; the float32 of such a result would be 0 too. */
static inline double exp_nonpositive(double x)
{
    static const double log2_e = 1.4426950408889634;
    static const double ln2_high = 0x1.62e42fefap-1; /* trailing zeros: k * ln2_high is exact */
    static const double ln2_low = 0x1.cf79abc9e3b398p-40;
    if (!(x >= -700))
        return x < -700 ? 0 : x; /* NaN stays NaN */
    const int64_t k = (int64_t)(x * log2_e - 0.5);
    const double r = (x - (double)k * ln2_high) - (double)k * ln2_low;
    double sum = 1;
    for (int n = 12; n > 0; n--)
        sum = 1 + r / n * sum;
    const uint64_t bits = (uint64_t)(k + 1023) << 52;
    double power_of_two;
    memcpy(&power_of_two, &bits, sizeof power_of_two);
    return sum * power_of_two;
}

#endif
