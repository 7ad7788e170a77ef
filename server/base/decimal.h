/* decimal.h - numbers as JSON writes them, to and from binary floating point.
 *
 * Reading gives the nearest double, ties to even: the bits that strtod gives. Writing gives the
 * fewest digits that read back as the same number, in printf's %g form: 0.1, 3, 1e+20, 1.5e-07,
 * -0.0. decimal.c says why the short ways to both are exact. Both assume the default rounding mode
 * and a decimal point (the program never calls setlocale). */
#ifndef SERVER_BASE_DECIMAL_H
#define SERVER_BASE_DECIMAL_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Eight bytes of text as one word, the first byte lowest. A digit becomes its value, and any other
 * byte ten or more. */
static inline uint64_t decimal_eight_load(const char *text)
{
    uint64_t bytes;
    memcpy(&bytes, text, sizeof bytes);
    return le64toh(bytes) ^ 0x3030303030303030;
}

/* How many of the eight are digits before the first that is not: 0 to 8. */
static inline unsigned decimal_eight_count(uint64_t eight)
{
    /* Adding 0x76 sets the top bit from ten up; a carry can only spoil bytes after such a one. */
    const uint64_t others = ((eight + 0x7676767676767676) | eight) & 0x8080808080808080;
    return others == 0 ? 8 : (unsigned)__builtin_ctzll(others) / 8;
}

/* The value of the first `count` digits, 0 to 8: pairs, then fours, then all eight. */
static inline uint32_t decimal_eight_value(uint64_t eight, unsigned count)
{
    const unsigned half = 4 * (8 - count); /* of a shift that may be a whole word */
    const uint64_t digits = eight << half << half;
    const uint64_t pairs = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
    const uint64_t fours = (pairs * 100 + (pairs >> 16)) & 0x0000ffff0000ffff;
    return (uint32_t)(fours * 10000 + (fours >> 32));
}

/* Reads an integer of one to seven digits before a comma or a bracket, as pixels are. NULL: there
 * is none, but decimal_read_any() may find a number. */
static inline const char *decimal_read_short(const char *text, const char *end, int32_t *value)
{
    if (end - text < 8)
        return NULL;
    const uint64_t eight = decimal_eight_load(text);
    const unsigned count = decimal_eight_count(eight);
    if (count - 1 >= 7 || (*text == '0' && count > 1) || (text[count] != ',' && text[count] != ']'))
        return NULL;
    *value = (int32_t)decimal_eight_value(eight, count);
    return text + count;
}

/* decimal_read() without its short way. */
const char *decimal_read_any(const char *text, const char *end, double *value);

/* Reads the JSON number that begins at `text`: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
 * Returns the byte after it, whatever that is. NULL, with *value untouched: there is no such
 * number, a digit follows a leading zero, the number reaches `end` (what follows can't be known
 * then), or its magnitude is larger than a double's. One too small for a double is 0. The text
 * needs no terminator, and no byte from `end` on is read. */
static inline const char *decimal_read(const char *text, const char *end, double *value)
{
    int32_t whole;
    const char *rest = decimal_read_short(text, end, &whole);
    if (rest == NULL)
        return decimal_read_any(text, end, value);
    *value = whole;
    return rest;
}

enum { DECIMAL_TEXT = 32 };

/* Each writes a finite number, not terminated, and returns its length. Any of the DECIMAL_TEXT
 * bytes may be written to. */
size_t decimal_write_float(float value, char out[DECIMAL_TEXT]); /* reads back as the same float */
size_t decimal_write_double(double value, char out[DECIMAL_TEXT]); /* as the same double */
size_t decimal_write_integer(int64_t value, char out[DECIMAL_TEXT]);

#endif
