/* tls.h - TLS: the certificate and its key, which may be read again while connections go on, and
 * the little that is sent without libmicrohttpd. Only tls.c sees GnuTLS.
 *
 * The library asks for the certificate at each handshake, without a word about which daemon asks:
 * so a process has one certificate. */
#ifndef SERVER_HTTP_TLS_H
#define SERVER_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>

struct MHD_Connection;

/* What GnuTLS negotiates: TLS 1.2 and later. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Reads a certificate, followed by those that lead to its root, and its key, both PEM without a
 * password. The paths are borrowed. False, with a line in error[error_size] that names the file. */
bool tls_open(const char *certificate, const char *key, char *error, size_t error_size);

/* Reads both again: new connections get the new certificate. False likewise: the old one stays. */
bool tls_reload(char *error, size_t error_size);

void tls_close(void); /* after the daemon has ended; does nothing if it is not open */

/* Whether tls_open() has succeeded: connections speak TLS. */
bool tls_is_on(void);

/* The gnutls_certificate_retrieve_function3 for libmicrohttpd. */
void *tls_certificate_callback(void);

/* Sends bytes over a connection of libmicrohttpd, on the thread of its event loop, if they can be
 * sent at once. */
void tls_send(struct MHD_Connection *connection, const char *bytes, size_t size);

/* Sends a text over a new connection to a server, and reads up to `size` bytes of its answer.
 * Returns whether that many came. The certificate is not looked at: a program asks another that
 * runs on the same machine, and sends nothing secret. */
bool tls_ask(int socket, const char *text, char *answer, size_t size);

#endif
