#include "server/http/accept.h"

#include <errno.h>
#include <linux/filter.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/connections.h"

enum { RETRY_MS = 100 };

struct acceptor {
    int socket;
    int stop; /* an eventfd; readable: stop */
    struct MHD_Daemon *daemon;
    struct connections *connections;
    pthread_t thread;
};

/* Returns false where there is nobody to accept, or no room for him; *ret_all says which. */
static bool accept_one(const struct acceptor *acceptor, bool *ret_all)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    *ret_all = false;
    if (!connections_expect(acceptor->connections))
        return false;
    const int fd =
        accept4(acceptor->socket, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    const int error = errno;
    if (fd < 0 ||
        MHD_add_connection(acceptor->daemon, fd, (struct sockaddr *)&address, size) != MHD_YES)
        connections_miss(acceptor->connections);
    if (fd >= 0 || error == EINTR || error == ECONNABORTED)
        return true;
    *ret_all = error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM;
    return false;
}

/* Returns false where some wait that can't be had yet. */
static bool accept_waiting(const struct acceptor *acceptor)
{
    bool all;
    while (accept_one(acceptor, &all))
        continue;
    return all;
}

/* Drops the packets that ask for a new connection, those with SYN, but not those that complete one
 * which the kernel has answered already. */
void acceptor_deafen(const struct acceptor *acceptor)
{
    enum { FLAGS_OFFSET = 13, SYN = 2, ALL = 0xffff };
    struct sock_filter drop_syn[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, FLAGS_OFFSET), /* of the TCP header */
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, ALL),
    };
    const struct sock_fprog filter = {.len = sizeof drop_syn / sizeof *drop_syn,
                                      .filter = drop_syn};
    setsockopt(acceptor->socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

static void *accept_until_stopped(void *argument)
{
    const struct acceptor *acceptor = argument;
    enum { STOP, SOCKET };
    struct pollfd waits[] = {
        [STOP] = {.fd = acceptor->stop, .events = POLLIN},
        [SOCKET] = {.fd = acceptor->socket, .events = POLLIN},
    };
    bool all = true;
    for (;;) {
        /* A socket that can't be served now would be ready at once, and again. */
        poll(waits, all ? 2 : 1, all ? -1 : RETRY_MS);
        const bool stops = waits[STOP].revents != 0;
        all = accept_waiting(acceptor);
        if (stops)
            return NULL;
    }
}

struct acceptor *acceptor_start(int socket, struct MHD_Daemon *daemon,
                                struct connections *connections)
{
    struct acceptor *acceptor = malloc(sizeof *acceptor);
    if (acceptor == NULL)
        return NULL;
    *acceptor = (struct acceptor){.socket = socket,
                                  .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                  .daemon = daemon,
                                  .connections = connections};
    if (acceptor->stop >= 0 &&
        pthread_create(&acceptor->thread, NULL, accept_until_stopped, acceptor) == 0)
        return acceptor;
    if (acceptor->stop >= 0)
        close(acceptor->stop);
    free(acceptor);
    return NULL;
}

void acceptor_stop(struct acceptor *acceptor)
{
    if (acceptor == NULL)
        return;
    eventfd_write(acceptor->stop, 1);
    pthread_join(acceptor->thread, NULL);
    close(acceptor->stop);
    free(acceptor);
}
