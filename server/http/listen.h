/* listen.h - the listening socket. */
#ifndef SERVER_HTTP_LISTEN_H
#define SERVER_HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

/* Listens on "127.0.0.1:8080" or "[::1]:0" (numeric). Returns the socket, and where it really
 * listens; or -1 with a sentence in error[error_size]. */
int http_listen(const char *listen_on, char *error, size_t error_size, char *address,
                size_t address_size, bool *on_loopback);

#endif
