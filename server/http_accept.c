#include "http_accept.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RETRY_MS = 100 };

struct acceptor {
    int socket;
    int stop; /* an eventfd; readable: stop */
    struct MHD_Daemon *daemon;
    pthread_t thread;
};

/* Returns false where some wait that can't be had yet, for want of descriptors or memory. */
static bool accept_waiting(const struct acceptor *acceptor)
{
    struct sockaddr_storage address;
    for (;;) {
        socklen_t size = sizeof address;
        const int fd = accept4(acceptor->socket, (struct sockaddr *)&address, &size,
                               SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            MHD_add_connection(acceptor->daemon, fd, (struct sockaddr *)&address, size);
            continue;
        }
        switch (errno) {
        case EMFILE:
        case ENFILE:
        case ENOBUFS:
        case ENOMEM:
            return false;
        case EINTR:
        case ECONNABORTED:
            continue;
        default:
            return true;
        }
    }
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
        all = accept_waiting(acceptor);
        if (waits[STOP].revents != 0)
            return NULL;
    }
}

struct acceptor *acceptor_start(int socket, struct MHD_Daemon *daemon)
{
    struct acceptor *acceptor = malloc(sizeof *acceptor);
    if (acceptor == NULL)
        return NULL;
    *acceptor = (struct acceptor){
        .socket = socket, .stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), .daemon = daemon};
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
