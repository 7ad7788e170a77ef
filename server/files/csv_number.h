/* csv_number.h - numbers as people and programs write them into tables. */
#ifndef SERVER_FILES_CSV_NUMBER_H
#define SERVER_FILES_CSV_NUMBER_H

#include <stddef.h>

enum csv_number {
    CSV_NUMBER,
    CSV_NOT_FINITE, /* nan, inf, infinity, or beyond a double */
    CSV_NO_NUMBER
};

/* Reads text[size], which a NUL follows: the numbers of JSON, and also 007, +1, .5 and 5., with
 * spaces and tabs around them. *ret_value, the nearest double, is set only for CSV_NUMBER. */
enum csv_number csv_number_read(const char *text, size_t size, double *ret_value);

#endif
