/* decimal.h - numbers as people and programs write them into tables. */
#ifndef SERVER_DECIMAL_H
#define SERVER_DECIMAL_H

#include <stddef.h>

enum decimal {
    DECIMAL_NUMBER,
    DECIMAL_NOT_FINITE, /* nan, inf, infinity, or beyond a double */
    DECIMAL_NONE
};

/* Reads text[size], behind which a byte is NUL: an optional sign, digits with an optional point, an
 * optional exponent; spaces and tabs around it. *ret_value, the nearest double, is only set for
 * DECIMAL_NUMBER. */
enum decimal decimal_read(const char *text, size_t size, double *ret_value);

#endif
