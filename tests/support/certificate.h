/* certificate.h - a certificate of a test's own, and a client that speaks TLS byte by byte. */
#ifndef TESTS_SUPPORT_CERTIFICATE_H
#define TESTS_SUPPORT_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/service.h"

/* Writes a certificate for 127.0.0.1 that signs itself, and its key, as PEM. `name` is its common
 * name. */
void certificate_make(const char *certificate, const char *key, const char *name);

enum { TLS_CLIENT_NAME = 64 };

struct tls_client;

/* Connects with these priorities of GnuTLS (NULL: the usual). NULL: there was no handshake. */
struct tls_client *tls_client_connect(const struct service *service, const char *priorities);
/* The common name of the server's certificate. */
void tls_client_read_name(const struct tls_client *client, char ret_name[TLS_CLIENT_NAME]);
/* Sends a text, and reads until `size` bytes or the end have come: how many. `answer` is
 * terminated. */
size_t tls_client_ask(struct tls_client *client, const char *text, char *answer, size_t size);
/* Says that it sends no more, as TLS has it. */
void tls_client_say_bye(struct tls_client *client);
void tls_client_close(struct tls_client *client);

#endif
