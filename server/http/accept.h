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

/* Accepts from a listening, non-blocking socket, which stays the caller's, for as long as the
 * register has room. NULL: no memory, no descriptor or no thread. */
struct acceptor *acceptor_start(int socket, struct MHD_Daemon *daemon,
                                struct connections *connections);

/* From now on who knocks is not heard: a client's kernel asks again in a second, and is refused
 * then. Who has been heard still comes in. Without this, connections made between the last accept
 * and the socket's closing would be reset with their requests. */
void acceptor_deafen(const struct acceptor *acceptor);

/* Takes in those whom the kernel has accepted already, and nobody else. Takes NULL. */
void acceptor_stop(struct acceptor *acceptor);

#endif
