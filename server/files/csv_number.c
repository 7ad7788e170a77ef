#include "server/files/csv_number.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/decimal.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "nan", "-inf", "+Infinity" */
static bool is_word(const char *text, size_t size)
{
    static const char *const words[] = {"nan", "inf", "infinity"};
    const bool is_signed = size > 0 && (*text == '-' || *text == '+');
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == size - is_signed &&
            strncasecmp(text + is_signed, words[i], size - is_signed) == 0)
            return true;
    return false;
}

/* The forms that JSON does not have. The other forms of strtod() have letters that these lack. */
static enum csv_number read_lax(const char *text, size_t size, double *ret_value)
{
    char *end;
    if (is_word(text, size))
        return CSV_NOT_FINITE;
    if (size == 0 || strspn(text, "0123456789+-.eE") < size)
        return CSV_NO_NUMBER;
    const double value = strtod(text, &end);
    if (end != text + size)
        return CSV_NO_NUMBER;
    if (!isfinite(value))
        return CSV_NOT_FINITE;
    *ret_value = value;
    return CSV_NUMBER;
}

enum csv_number csv_number_read(const char *text, size_t size, double *ret_value)
{
    double value;
    for (; size > 0 && is_blank(*text); size--)
        text++;
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    if (decimal_read(text, text + size + 1, &value) != text + size)
        return read_lax(text, size, ret_value);
    *ret_value = value;
    return CSV_NUMBER;
}
