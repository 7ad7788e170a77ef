#include "server/http/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/http/connections.h"
#include "server/http/tls.h"

enum { BACKLOG = 1024, RETRY_MS = 100, UNREAD_PIECES = 16, PORT_MAX = 65535 };

/* A client whose host is gone, or the way to it, says nothing of that: the kernel asks one that has
 * been silent for so many seconds, this often and at this distance, and closes the connection. */
enum { SILENT_SECONDS = 15, QUESTIONS = 3, QUESTION_SECONDS = 5 };

bool listener_read_address(const char *text, struct listener_address *ret_address)
{
    const char *colon = strrchr(text, ':');
    const char *port = colon != NULL ? colon + 1 : "";
    const size_t digits = strspn(port, "0123456789");
    /* getaddrinfo() takes larger numbers and cuts them. */
    if (digits == 0 || digits >= LISTENER_PORT || port[digits] != '\0' || atoi(port) > PORT_MAX)
        return false;
    const bool in_brackets = *text == '[' && colon[-1] == ']';
    const char *host = in_brackets ? text + 1 : text;
    const size_t length = (size_t)(colon - host) - in_brackets;
    if (length >= LISTENER_HOST || strcspn(host, in_brackets ? "[] \t" : ":[] \t") < length ||
        (in_brackets && memchr(host, ':', length) == NULL))
        return false;
    memcpy(ret_address->host, host, length);
    ret_address->host[length] = '\0';
    strcpy(ret_address->port, port);
    ret_address->text = text;
    return true;
}

/* --- one socket --- */

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

/* IPv4 and IPv6 keep the port at the same place. */
static in_port_t *port_of(struct sockaddr_storage *address)
{
    return &((struct sockaddr_in *)address)->sin_port;
}

/* The connections that it accepts inherit this. */
static bool ask_silent_hosts(int fd)
{
    const int on = 1, silent = SILENT_SECONDS, questions = QUESTIONS, distance = QUESTION_SECONDS;
    return setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &silent, sizeof silent) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &questions, sizeof questions) == 0 &&
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &distance, sizeof distance) == 0;
}

/* On an IPv6 socket bound to all addresses those of IPv4 are taken too. Returns the socket and
 * where it is bound; -1 with errno. */
static int open_socket(struct sockaddr_storage *address, socklen_t size)
{
    const int on = 1, off = 0;
    const int fd =
        socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        (address->ss_family != AF_INET6 ||
         setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0) &&
        ask_silent_hosts(fd) && bind(fd, (const struct sockaddr *)address, size) == 0 &&
        listen(fd, BACKLOG) == 0 && getsockname(fd, (struct sockaddr *)address, &size) == 0)
        return fd;
    const int error = errno;
    if (fd >= 0)
        close(fd);
    errno = error;
    return -1;
}

/* --- all of them --- */

static bool is_listed_before(const struct addrinfo *list, const struct addrinfo *info)
{
    for (; list != info; list = list->ai_next)
        if (list->ai_addrlen == info->ai_addrlen &&
            memcmp(list->ai_addr, info->ai_addr, info->ai_addrlen) == 0)
            return true;
    return false;
}

/* A name may have addresses that this machine can't use, e.g. those of IPv6: they are passed over.
 * Returns 0 or an errno. */
static int open_list(const struct addrinfo *list, struct listener *listener)
{
    int unusable = 0;
    in_port_t port = 0; /* of the first socket */
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        struct sockaddr_storage address = {0};
        if (is_listed_before(list, info) || listener->count == LISTENER_SOCKETS)
            continue;
        memcpy(&address, info->ai_addr, info->ai_addrlen);
        if (listener->count > 0)
            *port_of(&address) = port;
        const int fd = open_socket(&address, info->ai_addrlen);
        if (fd < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
            return errno;
        if (fd < 0) {
            unusable = errno;
            continue;
        }
        port = *port_of(&address);
        listener->on_loopback = listener->on_loopback && is_loopback(&address);
        listener->sockets[listener->count++] = fd;
    }
    return listener->count > 0 ? 0 : unusable;
}

/* Likewise with all addresses of a host; also what getaddrinfo() returns, which is negative. */
static int open_host(const char *host, const char *port, struct listener *listener)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    const int unknown = getaddrinfo(host, port, &hints, &list);
    if (unknown != 0)
        return unknown;
    const int failure = open_list(list, listener);
    freeaddrinfo(list);
    return failure;
}

static void describe(const struct listener_address *address, struct listener *listener)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[NI_MAXHOST] = "", port[LISTENER_PORT] = "";
    getsockname(listener->sockets[0], (struct sockaddr *)&bound, &size);
    getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    const bool is_v6 = listener->count == 1 && bound.ss_family == AF_INET6;
    snprintf(listener->text, sizeof listener->text, is_v6 ? "[%.255s]:%s" : "%.255s:%s",
             listener->count == 1 ? host : address->host, port);
}

bool listener_open(const struct listener_address *address, struct listener *ret_listener,
                   char *error, size_t error_size)
{
    struct listener listener = {.on_loopback = true};
    const bool on_all = *address->host == '\0';
    int failure = open_host(on_all ? "::" : address->host, address->port, &listener);
    if (on_all && (failure == EAFNOSUPPORT || failure == EADDRNOTAVAIL))
        failure = open_host("0.0.0.0", address->port, &listener);
    if (failure != 0) {
        snprintf(error, error_size, "can't listen there: %s",
                 failure < 0 ? gai_strerror(failure) : strerror(failure));
        listener_close(&listener);
        return false;
    }
    describe(address, &listener);
    *ret_listener = listener;
    return true;
}

/* --- accepting --- */

/* Answers 503, unless a handshake would be needed for it, and reads what the client has sent so
 * far, up to a limit: closing a socket with unread data may take the answer from the client. */
static void refuse(int connection)
{
    static const char body[] =
        "{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
        "\"detail\":\"All connections are in use, or all that one address may "
        "have.\",\"code\":\"overloaded\"}\n";
    char answer[512], unread[4096];
    const int size = snprintf(answer, sizeof answer,
                              "HTTP/1.1 503 Service Unavailable\r\n"
                              "Content-Type: application/problem+json\r\n"
                              "Content-Length: %zu\r\n"
                              "Retry-After: 1\r\n"
                              "Connection: close\r\n\r\n%s",
                              sizeof body - 1, body);
    if (!tls_is_on())
        send(connection, answer, (size_t)size, MSG_NOSIGNAL);
    shutdown(connection, SHUT_WR);
    for (int i = 0; i < UNREAD_PIECES && recv(connection, unread, sizeof unread, 0) > 0; i++)
        continue;
    close(connection);
}

/* Returns false, with errno, if no connection waits or none can be had now. */
static bool accept_one(struct listener *listener, int socket)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    const int connection =
        accept4(socket, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection < 0)
        return errno == EINTR || errno == ECONNABORTED;
    if (!connections_take_place(listener->connections, (struct sockaddr *)&address))
        refuse(connection);
    else if (MHD_add_connection(listener->daemon, connection, (struct sockaddr *)&address, size) !=
             MHD_YES)
        connections_give_back_place(listener->connections, (struct sockaddr *)&address);
    return true;
}

/* Returns false if a connection waits that can't be had now. */
static bool accept_waiting(struct listener *listener)
{
    bool all = true;
    for (size_t i = 0; i < listener->count; i++) {
        while (accept_one(listener, listener->sockets[i]))
            continue;
        all = all && errno == EAGAIN;
    }
    return all;
}

static void *accept_until_stopped(void *argument)
{
    struct listener *listener = argument;
    struct pollfd waits[1 + LISTENER_SOCKETS] = {{.fd = listener->stop, .events = POLLIN}};
    for (size_t i = 0; i < listener->count; i++)
        waits[1 + i] = (struct pollfd){.fd = listener->sockets[i], .events = POLLIN};
    bool all = true;
    for (;;) {
        /* While connections wait that can't be had, the sockets are ready all the time. */
        poll(waits, all ? 1 + listener->count : 1, all ? -1 : RETRY_MS);
        const bool stops = waits[0].revents != 0;
        all = accept_waiting(listener);
        if (stops)
            return NULL;
    }
}

bool listener_start(struct listener *listener, struct MHD_Daemon *daemon,
                    struct connections *connections)
{
    listener->daemon = daemon;
    listener->connections = connections;
    listener->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (listener->stop < 0)
        return false;
    listener->is_accepting =
        pthread_create(&listener->thread, NULL, accept_until_stopped, listener) == 0;
    if (!listener->is_accepting)
        close(listener->stop);
    return listener->is_accepting;
}

void listener_deafen(const struct listener *listener)
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
    for (size_t i = 0; i < listener->count; i++)
        setsockopt(listener->sockets[i], SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

void listener_close(struct listener *listener)
{
    if (listener->is_accepting) {
        eventfd_write(listener->stop, 1);
        pthread_join(listener->thread, NULL);
        close(listener->stop);
        listener->is_accepting = false;
    }
    for (size_t i = 0; i < listener->count; i++)
        close(listener->sockets[i]);
    listener->count = 0;
}
