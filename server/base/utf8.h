/* utf8.h - texts of clients: whether they are UTF-8, and what to show of them. */
#ifndef SERVER_BASE_UTF8_H
#define SERVER_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

enum { UTF8_EXCERPT = 64 };

/* Whether the bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates. */
bool utf8_is_valid(const char *text, size_t size);

/* Writes the beginning of a text to out (UTF8_EXCERPT bytes) as valid UTF-8: other bytes and
 * control characters become question marks, and "..." stands for what is left out. */
void utf8_excerpt(const char *text, size_t size, char *out);

#endif
