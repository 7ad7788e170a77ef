/* wire.h - HTTP over a connection, byte by byte: for bytes that no client library sends, and for
 * several requests over one connection. http_connect() opens one. */
#ifndef TESTS_SUPPORT_WIRE_H
#define TESTS_SUPPORT_WIRE_H

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_ANSWER = 16384 };

struct wire_answer {
    long status;            /* 0: the connection was closed before a whole answer came */
    char text[WIRE_ANSWER]; /* head and body, terminated; what came if it was not whole */
    const char *body;       /* within text; NULL: no whole head came */
};

/* Sends text, or any bytes. A connection that the server has closed is no failure. */
void wire_send(int connection, const char *text);
void wire_send_bytes(int connection, const void *bytes, size_t size);

/* Sends a request except for the last byte of its body: its line and header lines, each with its
 * line's end, a Content-Length, and what comes before that byte. */
void wire_begin(int connection, const char *lines, const char *body);
/* Sends the last byte, closes the connection, and returns the status of the answer. */
long wire_end(int connection, const char *body);

/* Reads one answer, and nothing of what follows it: its head, and a body of the length that it
 * states; or its head only. */
void wire_read(int connection, struct wire_answer *ret_answer);
void wire_read_head(int connection, struct wire_answer *ret_answer);

/* Reads bytes. Returns how many came; fewer than asked for if the server closed. */
size_t wire_read_bytes(int connection, char *out, size_t size);

/* Sends a GET that keeps the connection, and returns the status of its answer. */
long wire_ask(int connection, const char *path);

/* The value of a header as an answer writes it ("Retry-After"), up to its line's end; NULL: none.
 */
const char *wire_header(const struct wire_answer *answer, const char *name);

/* Reads until the server closes the connection; returns whether nothing came. */
bool wire_is_closed(int connection);

/* Connects to a port of the loopback address, of IPv6 or IPv4. -1: nothing listens there. */
int wire_connect(bool by_v6, unsigned port);

#endif
