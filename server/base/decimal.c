/* decimal.c - short ways for the numbers that come by the million; the C library does the rest.
 *
 * Reading. A number is m * 10^e, m its digits as an integer. Up to 19 digits m fits 64 bits; then
 *  - m = 0 is 0 whatever e is;
 *  - m <= 2^53 and |e| <= 22: m and 10^|e| are doubles (5^22 < 2^53), so one multiplication or
 *    division rounds once, to the nearest;
 *  - |e| <= 27, if long double has 64 bits: m and 10^|e| are exact there (5^27 < 2^64), so one
 *    operation gives x, the number rounded to 64 bits. The doubles and the midpoints between them
 *    are all among the 64-bit numbers, so rounding can move the number onto a midpoint but never
 *    across one: unless x is a midpoint, the double nearest to x is the one nearest to the
 *    number. A midpoint's low 11 bits are 1 and ten zeros. Nothing here is near the subnormals
 *    or the largest double: 10^-27 <= m * 10^e < 10^47.
 * strtod reads whatever remains. It sees only text whose grammar was checked, with a digit that is
 * not 0 (so no "0x", "inf" or "nan"), and it stops at the byte after the number, which is there.
 *
 * Writing gives printf's %.Ng with the first N that reads back as the same number. N starts at the
 * number of digits that the type always keeps (FLT_DIG, DBL_DIG): %g drops the trailing zeros, so
 * fewer digits come out if fewer will do. Subnormals keep fewer digits, so N starts at one for
 * them. Integral values, the most frequent ones, need no such tries. The slow way does just this.
 *
 * The short way for a normal float v > 0: let s = v * 10^k with 10^8 <= s < 10^9, so that rounding
 * s to a multiple of u = 10^(9-N) rounds v to N digits, and these read back as v if that multiple
 * is nearer to s than h, half the gap between v and its neighbour on that side, times 10^k; at
 * exactly h if v's mantissa is even, as ties go to even. 10^|k| is a double for |k| <= 22. s and h
 * become integers, in units of 2^-27, and these are compared.
 *  - 0 <= k <= 12, where v is between 10^-4 and 10^9: v has 24 bits and 5^12 has 28, so s is
 *    exact, as is h, 10^k times a power of two. v's last bit is 2^(b-23) for the largest 2^b <= v;
 *    that is smallest for k = 12, b = -14: s is a multiple of 2^-25 or more, h of 2^-27. So
 *    nothing is lost, and ties are decided as they are.
 *  - elsewhere s and h are rounded once. s < 2^30 is off by 2^-24 at most, and a multiple of 2^-26
 *    as s > 2^26; h <= 2^-24 * s < 2^6 is off by 2^-48 and by the part of a unit that is cut off.
 *    So what is compared is off by less than 2^-23: if it is nearer than that to a tie, or to h,
 *    the slow way decides. It also decides if s = 10^8 comes out, which may be less in truth.
 *    (If the error puts s on the wrong side of a multiple, that multiple is the nearest anyway, and
 *    reads back: h > 1.) */
#include "server/base/decimal.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(FLT_EVAL_METHOD == 0, "a double's operation must round to a double");
static_assert(FLT_MANT_DIG == 24 && DBL_MANT_DIG == 53, "float and double must be IEEE's");

enum { POWERS = 23, MAX_DIGITS = 19 };

/* The powers that are exact. */
static const double power_of_ten[POWERS] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                            1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                            1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static double scale(double value, int exponent)
{
    return exponent < 0 ? value / power_of_ten[-exponent] : value * power_of_ten[exponent];
}

/* --- reading --- */

struct number {
    bool negative;
    uint64_t mantissa; /* all digits as an integer, modulo 2^64 */
    int64_t exponent;
    const char *digits; /* the first */
    size_t digit_count;
};

static bool is_digit(const char *at, const char *end)
{
    return at < end && *at >= '0' && *at <= '9';
}

/* Appends digits to the mantissa, and returns the byte after them. */
static inline const char *read_digits(const char *at, const char *end, uint64_t *mantissa)
{
    static const uint32_t tens[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
    while (end - at >= 8) {
        const uint64_t eight = decimal_eight_load(at);
        const unsigned count = decimal_eight_count(eight);
        *mantissa = *mantissa * tens[count] + decimal_eight_value(eight, count);
        at += count;
        if (count < 8)
            return at;
    }
    for (; is_digit(at, end); at++)
        *mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
    return at;
}

/* Adds the number that follows the e. A huge one is cut: no text is long enough to make up for it.
 */
static const char *read_exponent(const char *at, const char *end, int64_t *exponent)
{
    const int64_t huge = INT64_C(1) << 56;
    int64_t written = 0;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (!is_digit(at, end))
        return NULL;
    for (; is_digit(at, end); at++)
        written = written < huge ? written * 10 + (*at - '0') : written;
    *exponent += negative ? -written : written;
    return at;
}

/* Takes the text apart. Returns the byte after the number; NULL: there is no number. */
static const char *scan(const char *text, const char *end, struct number *number)
{
    *number = (struct number){.negative = text < end && *text == '-'};
    number->digits = text + number->negative;
    const char *at = read_digits(number->digits, end, &number->mantissa);
    number->digit_count = (size_t)(at - number->digits);
    if (number->digit_count == 0 || (number->digit_count > 1 && *number->digits == '0'))
        return NULL;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = read_digits(fraction, end, &number->mantissa);
        if (at == fraction)
            return NULL;
        number->digit_count += (size_t)(at - fraction);
        number->exponent = fraction - at;
    }
    if (at < end && (*at == 'e' || *at == 'E'))
        at = read_exponent(at + 1, end, &number->exponent);
    return at == end ? NULL : at;
}

/* Whether the mantissa holds all the digits: few enough are left without the leading zeros. */
static bool is_whole(const struct number *number)
{
    size_t count = number->digit_count;
    for (const char *at = number->digits; count > MAX_DIGITS && (*at == '0' || *at == '.'); at++)
        count -= *at == '0';
    return count <= MAX_DIGITS;
}

static bool convert_extended(uint64_t mantissa, int64_t exponent, double *magnitude)
{
    static const long double powers[] = {1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,
                                         1e7L,  1e8L,  1e9L,  1e10L, 1e11L, 1e12L, 1e13L,
                                         1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L, 1e20L,
                                         1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L};
    if (LDBL_MANT_DIG != 64 || exponent < -27 || exponent > 27)
        return false;
    const long double rounded = exponent < 0 ? (long double)mantissa / powers[-exponent]
                                             : (long double)mantissa * powers[exponent];
    uint64_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    *magnitude = (double)rounded;
    return (bits & 0x7ff) != 0x400;
}

/* False: no short way is sure of the nearest double. */
static bool convert(const struct number *number, double *magnitude)
{
    const int64_t exponent = number->exponent;
    if (number->digit_count > MAX_DIGITS && !is_whole(number))
        return false;
    if (number->mantissa == 0)
        *magnitude = 0;
    else if (number->mantissa <= UINT64_C(1) << DBL_MANT_DIG && exponent > -POWERS &&
             exponent < POWERS)
        *magnitude = scale((double)(int64_t)number->mantissa, (int)exponent);
    else
        return convert_extended(number->mantissa, exponent, magnitude);
    return true;
}

const char *decimal_read_any(const char *text, const char *end, double *value)
{
    struct number number;
    const char *rest = scan(text, end, &number);
    if (rest == NULL)
        return NULL;
    double magnitude;
    if (!convert(&number, &magnitude))
        magnitude = strtod(number.digits, NULL);
    if (magnitude == HUGE_VAL)
        return NULL;
    *value = copysign(magnitude, number.negative ? -1.0 : 1.0);
    return rest;
}

/* --- writing --- */

static const double INTEGRAL_BELOW = 1e6;

/* One, and the tolerance below, in fixed point with units of 2^-27. */
enum { FIXED_ONE = 1 << 27, FIXED_TOLERANCE = 1 << 4 };

/* The eight decimal digits of a number below 10^8, as the word of their values, the first one
 * lowest: halves, then pairs, then digits, each quotient by a multiplication that is exact there.
 */
static inline uint64_t eight_digits(uint32_t number)
{
    const uint64_t fours = number / 10000 | (uint64_t)(number % 10000) << 32;
    const uint64_t hundreds = (fours * 5243 >> 19) & 0x0000007f0000007f;
    const uint64_t pairs = hundreds | (fours - hundreds * 100) << 16;
    const uint64_t tens = (pairs * 103 >> 10) & 0x000f000f000f000f;
    return tens | (pairs - tens * 10) << 8;
}

static void store_eight(char *out, uint64_t digits)
{
    digits = htole64(digits + 0x3030303030303030);
    memcpy(out, &digits, sizeof digits);
}

/* If all digits are 0, the last one stays. */
static size_t write_without_leading_zeros(uint64_t digits, char *out)
{
    const unsigned zeros = (unsigned)__builtin_ctzll(digits | UINT64_C(1) << 56) / 8;
    digits = htole64((digits + 0x3030303030303030) >> 8 * zeros);
    memcpy(out, &digits, sizeof digits);
    return 8 - zeros;
}

size_t decimal_write_integer(int64_t value, char out[DECIMAL_TEXT])
{
    const uint32_t eight_end = 100000000; /* the first number of nine digits */
    const uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    size_t size = 0;
    if (value < 0)
        out[size++] = '-';
    if (magnitude < eight_end)
        return size + write_without_leading_zeros(eight_digits((uint32_t)magnitude), out + size);
    size += decimal_write_integer((int64_t)(magnitude / eight_end), out + size);
    store_eight(out + size, eight_digits((uint32_t)(magnitude % eight_end)));
    return size + 8;
}

/* Writes the numbers that need no search for digits; 0: it is not one of them. */
static size_t write_simple(double value, char *out)
{
    if (!(fabs(value) < INTEGRAL_BELOW) || value != (double)(int32_t)value)
        return 0;
    if (value != 0 || !signbit(value))
        return decimal_write_integer((int32_t)value, out);
    memcpy(out, "-0.0", 4);
    return 4;
}

static size_t write_slowly(double value, bool is_float, char *out)
{
    const double normal = is_float ? (double)FLT_MIN : DBL_MIN;
    const int kept = is_float ? FLT_DIG : DBL_DIG,
              max = is_float ? FLT_DECIMAL_DIG : DBL_DECIMAL_DIG;
    int digits = fabs(value) < normal ? 1 : kept;
    int size = snprintf(out, DECIMAL_TEXT, "%.*g", digits, value);
    while (digits < max && (is_float ? (double)strtof(out, NULL) : strtod(out, NULL)) != value)
        size = snprintf(out, DECIMAL_TEXT, "%.*g", ++digits, value);
    return (size_t)size;
}

size_t decimal_write_double(double value, char out[DECIMAL_TEXT])
{
    const size_t simple = write_simple(value, out);
    return simple > 0 ? simple : write_slowly(value, false, out);
}

/* A normal float, scaled to nine digits before the point: s, h and their error in fixed point. */
struct scaled {
    int64_t value;
    int64_t half_gap[2]; /* towards the next smaller float, the next larger one */
    int64_t tolerance;   /* above the error of what is compared; 0: there is none */
    bool even;
    int exponent; /* of the first digit */
};

/* The digits that were found. */
struct digits {
    uint32_t nine; /* the first one is not 0 */
    int precision; /* how many were asked for: printf's N */
    int exponent;  /* of the first digit */
};

/* False: a power of ten is not exact, or the number of digits before the point is not certain. */
static bool scale_float(float value, struct scaled *scaled)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int binary = (int)(bits >> 23) - 127;
    /* The floor of binary * log10(2); the first digit's exponent is that or one more. */
    int exponent = binary * 78913 >> 18;
    if (exponent < 8 + 1 - POWERS || exponent > 8 + POWERS - 2)
        return false;
    double nine = scale((double)value, 8 - exponent);
    if (nine >= 1e9)
        nine = scale((double)value, 8 - ++exponent);
    const uint64_t half_gap_bits = (uint64_t)(binary - FLT_MANT_DIG + 1023) << 52;
    double half_gap;
    memcpy(&half_gap, &half_gap_bits, sizeof half_gap);
    scaled->value = (int64_t)(nine * FIXED_ONE);
    scaled->half_gap[1] = (int64_t)(scale(half_gap, 8 - exponent) * FIXED_ONE);
    scaled->half_gap[0] = scaled->half_gap[1] >> ((bits & 0x7fffff) == 0);
    scaled->tolerance = exponent >= -4 && exponent <= 8 ? 0 : FIXED_TOLERANCE;
    scaled->even = (bits & 1) == 0;
    scaled->exponent = exponent;
    return nine > 1e8 || scaled->tolerance == 0;
}

/* What rounding to a multiple of the unit gives; the unit is a constant where this is inlined. */
struct attempt {
    uint32_t nine;
    bool reads_back;
    bool unsure;
};

static inline struct attempt round_to(const struct scaled *scaled, uint32_t unit)
{
    const int64_t half_unit = (int64_t)unit * FIXED_ONE / 2;
    const uint32_t kept = (uint32_t)(scaled->value / FIXED_ONE) / unit;
    const int64_t over = scaled->value - (2 * (int64_t)kept + 1) * half_unit;
    const bool up = over + kept % 2 > 0;
    const int64_t reach = scaled->half_gap[up] - (half_unit - llabs(over));
    return (struct attempt){
        .nine = (kept + up) * unit,
        .reads_back = reach + scaled->even > 0,
        .unsure = (llabs(over) < scaled->tolerance) | (llabs(reach) < scaled->tolerance),
    };
}

/* False: the slow way must decide. All precisions are tried, as the first that will do can't be
 * predicted; nine digits always read back. */
static bool find_digits(const struct scaled *scaled, struct digits *digits)
{
    const struct attempt six = round_to(scaled, 1000), seven = round_to(scaled, 100),
                         eight = round_to(scaled, 10), nine = round_to(scaled, 1);
    digits->nine = eight.reads_back ? eight.nine : nine.nine;
    digits->nine = seven.reads_back ? seven.nine : digits->nine;
    digits->nine = six.reads_back ? six.nine : digits->nine;
    digits->precision = 6 + !six.reads_back * (1 + !seven.reads_back * (1 + !eight.reads_back));
    digits->exponent = scaled->exponent;
    if (digits->nine == 1000000000) {
        digits->nine = 100000000;
        digits->exponent++;
    }
    return !(six.unsure | seven.unsure | eight.unsure | nine.unsure);
}

/* As %g does: an exponent if it is below -4 or not below the precision; no trailing zeros. */
static size_t lay_out(const struct digits *digits, char *out)
{
    const int exponent = digits->exponent;
    const char first = (char)('0' + digits->nine / 100000000);
    const uint64_t rest = eight_digits(digits->nine % 100000000);
    const size_t rest_size = rest == 0 ? 0 : 8 - (size_t)__builtin_clzll(rest) / 8;
    if (exponent < 0 && exponent >= -4) {
        const size_t zeros = (size_t)-exponent;
        memcpy(out, "0.000", 5);
        out[1 + zeros] = first;
        store_eight(out + 2 + zeros, rest);
        return 2 + zeros + rest_size;
    }
    const bool fixed = exponent >= 0 && exponent < digits->precision;
    const size_t before = fixed ? (size_t)exponent : 0; /* of the rest, before the point */
    out[0] = first;
    store_eight(out + 1, rest);
    if (rest_size > before) {
        out[1 + before] = '.';
        store_eight(out + 2 + before, rest >> 8 * before);
    }
    const size_t size = rest_size > before ? 2 + rest_size : 1 + before;
    if (fixed)
        return size;
    const unsigned magnitude = (unsigned)abs(exponent);
    out[size] = 'e';
    out[size + 1] = exponent < 0 ? '-' : '+';
    out[size + 2] = (char)('0' + magnitude / 10);
    out[size + 3] = (char)('0' + magnitude % 10);
    return size + 4;
}

size_t decimal_write_float(float value, char out[DECIMAL_TEXT])
{
    const size_t simple = write_simple((double)value, out);
    if (simple > 0)
        return simple;
    struct scaled scaled;
    struct digits digits;
    if (!scale_float(fabsf(value), &scaled) || !find_digits(&scaled, &digits))
        return write_slowly((double)value, true, out);
    out[0] = '-';
    const size_t sign = signbit(value) ? 1 : 0;
    return sign + lay_out(&digits, out + sign);
}
