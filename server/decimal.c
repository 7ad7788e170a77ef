/* decimal.c - most numbers of a table are short, and need no strtod().
 *
 * Where the digits are a whole number below 2^53, and the power of ten is one that a double holds,
 * one product or quotient of the two is rounded once and so is the nearest double (W. Clinger, How
 * to read floating point numbers accurately, 1990). What is longer goes to strtod(), which knows no
 * other decimal point than '.', as the service never calls setlocale(). */
#include "decimal.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

enum { EXPONENT_READ = 100000, POWERS = 22 };

static const uint64_t exact = (uint64_t)1 << 53;

struct digits {
    uint64_t whole; /* of all digits; only meant while it is below `exact` */
    int exponent;   /* of ten */
    bool is_long;   /* there are more digits than `whole` holds */
    bool has_any;
};

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

static bool is_space(char character)
{
    return character == ' ' || character == '\t';
}

static const char *read_digits(const char *at, struct digits *digits, int exponent_of_each)
{
    for (; is_digit(*at); at++) {
        digits->has_any = true;
        digits->is_long |= digits->whole >= exact / 10;
        digits->whole = digits->whole * 10 + (uint64_t)(*at - '0');
        if (digits->exponent > -EXPONENT_READ)
            digits->exponent += exponent_of_each;
    }
    return at;
}

/* Returns its argument where no exponent follows. */
static const char *read_exponent(const char *at, struct digits *digits)
{
    if (*at != 'e' && *at != 'E')
        return at;
    const char *next = at + 1;
    const bool is_negative = *next == '-';
    next += *next == '-' || *next == '+';
    if (!is_digit(*next))
        return at;
    int exponent = 0;
    for (; is_digit(*next); next++)
        if (exponent < EXPONENT_READ)
            exponent = exponent * 10 + (*next - '0');
    digits->exponent += is_negative ? -exponent : exponent;
    return next;
}

static bool convert(const struct digits *digits, bool is_negative, double *value)
{
    static const double powers[POWERS + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                              1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                              1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (digits->is_long || digits->exponent > POWERS || digits->exponent < -POWERS)
        return false;
    const double whole = (double)digits->whole;
    *value =
        digits->exponent < 0 ? whole / powers[-digits->exponent] : whole * powers[digits->exponent];
    if (is_negative)
        *value = -*value;
    return true;
}

static bool is_word_of_no_number(const char *at, size_t size)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    static const size_t sizes[] = {3, 3, 8};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (size == sizes[i] && strncasecmp(at, words[i], size) == 0)
            return true;
    return false;
}

enum decimal decimal_read(const char *text, size_t size, double *ret_value)
{
    const char *begin = text, *end = text + size;
    while (begin < end && is_space(*begin))
        begin++;
    while (begin < end && is_space(end[-1]))
        end--;
    struct digits digits = {0};
    const char *at = begin + (*begin == '-' || *begin == '+');
    if (at < end && is_word_of_no_number(at, (size_t)(end - at)))
        return DECIMAL_NOT_FINITE;
    at = read_digits(at, &digits, 0);
    if (*at == '.')
        at = read_digits(at + 1, &digits, -1);
    if (!digits.has_any)
        return DECIMAL_NONE;
    at = read_exponent(at, &digits);
    if (at != end)
        return DECIMAL_NONE;
    double value;
    if (!convert(&digits, *begin == '-', &value))
        value = strtod(begin, NULL);
    if (!isfinite(value))
        return DECIMAL_NOT_FINITE;
    *ret_value = value;
    return DECIMAL_NUMBER;
}
