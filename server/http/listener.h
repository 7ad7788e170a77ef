/* listener.h - the listening sockets, from the text of --listen, and the thread that accepts
 * connections from them and hands them to libmicrohttpd.
 *
 *   127.0.0.1:8080, [::1]:8080    one address
 *   localhost:8080                every address of a name: for localhost those of IPv4 and IPv6
 *   :8080, [::]:8080              all addresses of the machine, of both families
 *   0.0.0.0:8080                  all its addresses of IPv4
 *
 * Port 0 stands for a free one, the same for each address.
 *
 * The library could accept by itself, but in 0.9.75 it can't reliably be told to stop doing so: a
 * worker and MHD_quiesce_daemon() may both take the socket out of the same epoll set, and the
 * second to do so ends the process. */
#ifndef SERVER_HTTP_LISTENER_H
#define SERVER_HTTP_LISTENER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct MHD_Daemon;
struct connections;

enum { LISTENER_HOST = 256, LISTENER_PORT = 6, LISTENER_TEXT = LISTENER_HOST + LISTENER_PORT + 2 };
enum { LISTENER_SOCKETS = 8 };

struct listener_address {
    const char *text;         /* borrowed */
    char host[LISTENER_HOST]; /* without brackets; "" for all addresses of the machine */
    char port[LISTENER_PORT];
};

/* Zeroed, it has no sockets. It must not be moved while it accepts. */
struct listener {
    int sockets[LISTENER_SOCKETS]; /* non-blocking; owned */
    size_t count;
    bool on_loopback;         /* all of them */
    char text[LISTENER_TEXT]; /* "127.0.0.1:43210", or the name and the port of several */
    struct MHD_Daemon *daemon;
    struct connections *connections;
    int stop; /* an eventfd; readable: stop */
    pthread_t thread;
    bool is_accepting;
};

/* Takes the text apart; false if it does not have one of the forms above. */
bool listener_read_address(const char *text, struct listener_address *ret_address);

/* Listens. On failure false, with a sentence in error[error_size] that does not name the address.
 */
bool listener_open(const struct listener_address *address, struct listener *ret_listener,
                   char *error, size_t error_size);

/* Begins to accept. A connection for which the register has no room is answered 503. False: no
 * descriptor or no thread. */
bool listener_start(struct listener *listener, struct MHD_Daemon *daemon,
                    struct connections *connections);

/* Drops the requests for new connections: the client's kernel asks again in a second, and is
 * refused then. Connections that the kernel has already accepted are still taken. Without this,
 * those made between the last accept and the socket's closing would be reset with their requests.
 */
void listener_deafen(const struct listener *listener);

/* Takes the connections that the kernel has already accepted, and ends; does nothing the second
 * time. */
void listener_close(struct listener *listener);

#endif
