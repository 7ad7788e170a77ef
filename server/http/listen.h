/* listen.h - the listening sockets, from the text of --listen.
 *
 *   127.0.0.1:8080, [::1]:8080    one address
 *   localhost:8080                every address of a name: for localhost those of IPv4 and IPv6
 *   :8080, [::]:8080              all addresses of the machine, of both families
 *   0.0.0.0:8080                  all its addresses of IPv4
 *
 * Port 0 stands for a free one, the same for each address. */
#ifndef SERVER_HTTP_LISTEN_H
#define SERVER_HTTP_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

enum { LISTEN_HOST = 256, LISTEN_PORT = 6, LISTEN_ADDRESS = LISTEN_HOST + LISTEN_PORT + 2 };
enum { LISTEN_SOCKETS = 8 };

struct listen_address {
    const char *text;       /* borrowed */
    char host[LISTEN_HOST]; /* without brackets; "" for all addresses of the machine */
    char port[LISTEN_PORT];
};

struct listen_sockets {
    int sockets[LISTEN_SOCKETS]; /* non-blocking; owned */
    size_t count;
    bool on_loopback;             /* all of them */
    char address[LISTEN_ADDRESS]; /* "127.0.0.1:43210", or the name and the port of several */
};

/* Takes the text apart; false if it has not one of the forms above. */
bool listen_address_read(const char *text, struct listen_address *ret_address);

/* Listens. On failure false, with a sentence in error[error_size] that does not name the address.
 */
bool listen_open(const struct listen_address *address, struct listen_sockets *ret_sockets,
                 char *error, size_t error_size);

/* Closes them; does nothing the second time. */
void listen_close(struct listen_sockets *sockets);

#endif
