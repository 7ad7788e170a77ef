/* exponential.h - exp and ln that have the same bits on every machine.
 *
 * libm picks its exp by the processor, and the variants differ in the last bit. These functions are
 * plain C. Those that loops call for many numbers have no branches, so that the loops become vector
 * code. All reduce the range, x = k ln 2 + r with |r| <= ln 2 / 2, and use a polynomial in r. */
#ifndef CORE_EXPONENTIAL_H
#define CORE_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

/* exp(x) for x <= 0 in double precision: Taylor's polynomial of degree 12, error below 1e-15.
 * For x < -700 it is 0, although a double could still hold the result. NaN stays NaN. */
static inline double exp_nonpositive(double x)
{
    static const double log2_e = 1.4426950408889634;
    static const double rounding = 0x1.8p52; /* adding and taking it away rounds to an integer */
    static const double ln2_high = 0x1.62e42fefap-1; /* trailing zeros: k * ln2_high is exact */
    static const double ln2_low = 0x1.cf79abc9e3b398p-40;
    static const double inverse_factorial[] = {1.0 / 479001600,
                                               1.0 / 39916800,
                                               1.0 / 3628800,
                                               1.0 / 362880,
                                               1.0 / 40320,
                                               1.0 / 5040,
                                               1.0 / 720,
                                               1.0 / 120,
                                               1.0 / 24,
                                               1.0 / 6,
                                               1.0 / 2,
                                               1,
                                               1};
    /* a choice would become a branch, and the loop around it no vector code */
    const uint64_t holds = -(uint64_t)(x >= -700);
    uint64_t x_bits;
    memcpy(&x_bits, &x, sizeof x_bits);
    x_bits &= holds;
    double clamped;
    memcpy(&clamped, &x_bits, sizeof clamped);
    const double shifted = clamped * log2_e + rounding, k = shifted - rounding;
    const double r = (clamped - k * ln2_high) - k * ln2_low;
    double sum = inverse_factorial[0];
    for (int n = 1; n <= 12; n++)
        sum = inverse_factorial[n] + r * sum;
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits); /* whose last bits are k */
    bits = (bits + 1023) << 52 & holds;
    double power_of_two;
    memcpy(&power_of_two, &bits, sizeof power_of_two);
    return sum * power_of_two + (x - x); /* x - x is 0, or NaN */
}

/* exp(x) for -80 <= x <= 0 in single precision, within 1 ulp: the polynomial of Cephes' expf
 * (Moshier 1989). */
static inline float expf_nonpositive(float x)
{
    static const float rounding = 0x1.8p23f, log2_e = 1.44269504f;
    static const float ln2_high = 0.693359375f, ln2_low = -2.12194440e-4f;
    const float k = (x * log2_e + rounding) - rounding;
    const float r = (x - k * ln2_high) - k * ln2_low;
    float sum = 1.9875691500e-4f;
    sum = sum * r + 1.3981999507e-3f;
    sum = sum * r + 8.3334519073e-3f;
    sum = sum * r + 4.1665795894e-2f;
    sum = sum * r + 1.6666665459e-1f;
    sum = sum * r + 5.0000001201e-1f;
    sum = sum * (r * r) + r + 1;
    const uint32_t bits = (uint32_t)((int32_t)k + 127) << 23;
    float power_of_two;
    memcpy(&power_of_two, &bits, sizeof power_of_two);
    return sum * power_of_two;
}

/* exp(x) - 1 for |x| <= 1, exact also for a small x: Taylor's polynomial of degree 20. */
static inline double exp_minus_one(double x)
{
    double sum = 0;
    for (int n = 20; n > 0; n--)
        sum = x / n * (1 + sum);
    return sum;
}

/* ln((1 + s)/(1 - s)) for |s| < 0.172: the series of 2 artanh(s), error below 1e-15. */
static inline double log_series(double s)
{
    const double square = s * s;
    double sum = 1.0 / 21;
    for (int n = 19; n > 0; n -= 2)
        sum = 1.0 / n + square * sum;
    return 2 * s * sum;
}

/* ln(x) for a normal x > 0: x = 2^k f with f in [sqrt(1/2), sqrt(2)). */
static inline double logarithm(double x)
{
    static const double ln2 = 0x1.62e42fefa39efp-1;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint64_t shifted = bits + (0x3ff0000000000000 - 0x3fe6a09e667f3bcd); /* 1 - sqrt(1/2) */
    const int64_t k = (int64_t)(shifted >> 52) - 1023;
    bits -= (uint64_t)k << 52;
    double f;
    memcpy(&f, &bits, sizeof f);
    return (double)k * ln2 + log_series((f - 1) / (f + 1));
}

/* ln(a/b) for a, b > 0, exact also if they are nearly equal. */
static inline double logarithm_of_ratio(double a, double b)
{
    const double s = (a - b) / (a + b);
    return s * s < 0.17 * 0.17 ? log_series(s) : logarithm(a / b);
}

#endif
