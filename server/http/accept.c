#include "server/http/accept.h"

#include <errno.h>
#include <linux/filter.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/base/timestamp.h"
#include "server/http/connections.h"
#include "server/http/listen.h"

enum { RETRY_MS = 100, UNREAD_PIECES = 16 };

struct acceptor {
    const struct listen_sockets *sockets;
    int stop; /* an eventfd; readable: stop */
    struct MHD_Daemon *daemon;
    struct connections *connections;
    bool refuses; /* the last connection was refused */
    pthread_t thread;
};

/* Answers 503, and reads what the client has sent so far, up to a limit: closing a socket with
 * unread data may take the answer from the client. */
static void refuse(int connection)
{
    static const char body[] =
        "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
        "\"detail\":\"All connections are in use.\",\"code\":\"overloaded\"}\n";
    char answer[512], unread[4096];
    const int size = snprintf(answer, sizeof answer,
                              "HTTP/1.1 503 Service Unavailable\r\n"
                              "Content-Type: application/problem+json\r\n"
                              "Content-Length: %zu\r\n"
                              "Retry-After: 1\r\n"
                              "Connection: close\r\n\r\n%s",
                              sizeof body - 1, body);
    send(connection, answer, (size_t)size, MSG_NOSIGNAL);
    shutdown(connection, SHUT_WR);
    for (int i = 0; i < UNREAD_PIECES && recv(connection, unread, sizeof unread, 0) > 0; i++)
        continue;
    close(connection);
}

/* Says once that the limit is reached, until there is room again. */
static void note_refusal(struct acceptor *acceptor, bool refuses)
{
    if (refuses && !acceptor->refuses)
        fprintf(stderr, "time=%s connections=%u refusing=new (--connections)\n",
                timestamp_text(timestamp_now()).text, connections_limit(acceptor->connections));
    acceptor->refuses = refuses;
}

/* Returns false if no connection waits, or none can be had now; *ret_all tells the two apart. */
static bool accept_one(struct acceptor *acceptor, int socket, bool *ret_all)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    const int connection =
        accept4(socket, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0) {
        *ret_all = errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM;
        return errno == EINTR || errno == ECONNABORTED;
    }
    const bool has_room = connections_take_place(acceptor->connections);
    note_refusal(acceptor, !has_room);
    if (!has_room)
        refuse(connection);
    else if (MHD_add_connection(acceptor->daemon, connection, (struct sockaddr *)&address, size) !=
             MHD_YES)
        connections_give_back_place(acceptor->connections);
    return true;
}

/* Returns false if a connection waits that can't be had now. */
static bool accept_waiting(struct acceptor *acceptor)
{
    bool all = true;
    for (size_t i = 0; i < acceptor->sockets->count; i++) {
        bool all_here;
        while (accept_one(acceptor, acceptor->sockets->sockets[i], &all_here))
            continue;
        all = all && all_here;
    }
    return all;
}

/* Drops the packets that ask for a new connection, those with SYN; a connection that the kernel has
 * answered already can still be completed. */
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
    for (size_t i = 0; i < acceptor->sockets->count; i++)
        setsockopt(acceptor->sockets->sockets[i], SOL_SOCKET, SO_ATTACH_FILTER, &filter,
                   sizeof filter);
}

static void *accept_until_stopped(void *argument)
{
    struct acceptor *acceptor = argument;
    const struct listen_sockets *sockets = acceptor->sockets;
    struct pollfd waits[1 + LISTEN_SOCKETS] = {{.fd = acceptor->stop, .events = POLLIN}};
    for (size_t i = 0; i < sockets->count; i++)
        waits[1 + i] = (struct pollfd){.fd = sockets->sockets[i], .events = POLLIN};
    bool all = true;
    for (;;) {
        /* While connections wait that can't be had, the sockets are ready all the time. */
        poll(waits, all ? 1 + sockets->count : 1, all ? -1 : RETRY_MS);
        const bool stops = waits[0].revents != 0;
        all = accept_waiting(acceptor);
        if (stops)
            return NULL;
    }
}

struct acceptor *acceptor_start(const struct listen_sockets *sockets, struct MHD_Daemon *daemon,
                                struct connections *connections)
{
    struct acceptor *acceptor = malloc(sizeof *acceptor);
    if (acceptor == NULL)
        return NULL;
    *acceptor = (struct acceptor){.sockets = sockets,
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
