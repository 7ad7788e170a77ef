/* accept.h - the thread that accepts connections and hands them to the library's.
 *
 * The library could accept by itself, but in 0.9.75 it can't reliably be told to stop doing so: a
 * worker and MHD_quiesce_daemon() may both take the socket out of the same epoll set, and the
 * second to do so ends the process. */
#ifndef SERVER_HTTP_ACCEPT_H
#define SERVER_HTTP_ACCEPT_H

struct MHD_Daemon;
struct acceptor;
struct connections;
struct listen_sockets;

/* Accepts from the sockets, which stay the caller's. A connection for which
 * the register has no room is answered 503. NULL: no memory, no descriptor or no thread. */
struct acceptor *acceptor_start(const struct listen_sockets *sockets, struct MHD_Daemon *daemon,
                                struct connections *connections);

/* Drops the requests for new connections: the client's kernel asks again in a second, and is
 * refused then. Connections that the kernel has already accepted are still taken. Without this,
 * those made between the last accept and the socket's closing would be reset with their requests.
 */
void acceptor_deafen(const struct acceptor *acceptor);

/* Takes the connections that the kernel has already accepted, and ends. Takes NULL. */
void acceptor_stop(struct acceptor *acceptor);

#endif
