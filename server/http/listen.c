#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

/* Checked here, since getaddrinfo() takes larger numbers and cuts them. */
static bool is_port(const char *text)
{
    const size_t length = strspn(text, "0123456789");
    return length > 0 && length < LISTEN_PORT && text[length] == '\0' &&
           strtoul(text, NULL, 10) <= 65535;
}

bool listen_address_read(const char *text, struct listen_address *ret_address)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || !is_port(colon + 1))
        return false;
    const bool in_brackets = *text == '[' && colon[-1] == ']';
    const char *host = in_brackets ? text + 1 : text;
    const size_t length = (size_t)(colon - host) - in_brackets;
    if (length >= LISTEN_HOST || strcspn(host, in_brackets ? "[] \t" : ":[] \t") < length ||
        (in_brackets && memchr(host, ':', length) == NULL))
        return false;
    memcpy(ret_address->host, host, length);
    ret_address->host[length] = '\0';
    strcpy(ret_address->port, colon + 1);
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
        bind(fd, (const struct sockaddr *)address, size) == 0 && listen(fd, BACKLOG) == 0 &&
        getsockname(fd, (struct sockaddr *)address, &size) == 0)
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
static int open_list(const struct addrinfo *list, struct listen_sockets *sockets)
{
    int unusable = 0;
    in_port_t port = 0; /* of the first socket */
    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next) {
        struct sockaddr_storage address = {0};
        if (is_listed_before(list, info) || sockets->count == LISTEN_SOCKETS)
            continue;
        memcpy(&address, info->ai_addr, info->ai_addrlen);
        if (sockets->count > 0)
            *port_of(&address) = port;
        const int fd = open_socket(&address, info->ai_addrlen);
        if (fd < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT)
            return errno;
        if (fd < 0) {
            unusable = errno;
            continue;
        }
        port = *port_of(&address);
        sockets->on_loopback = sockets->on_loopback && is_loopback(&address);
        sockets->sockets[sockets->count++] = fd;
    }
    return sockets->count > 0 ? 0 : unusable;
}

/* Likewise with all addresses of a host; also what getaddrinfo() returns, which is negative. */
static int open_host(const char *host, const char *port, struct listen_sockets *sockets)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    const int unknown = getaddrinfo(host, port, &hints, &list);
    if (unknown != 0)
        return unknown;
    const int failure = open_list(list, sockets);
    freeaddrinfo(list);
    return failure;
}

static void describe(const struct listen_address *address, struct listen_sockets *sockets)
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char host[NI_MAXHOST] = "", port[LISTEN_PORT] = "";
    getsockname(sockets->sockets[0], (struct sockaddr *)&bound, &size);
    getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    const bool is_v6 = sockets->count == 1 && bound.ss_family == AF_INET6;
    snprintf(sockets->address, sizeof sockets->address, is_v6 ? "[%.255s]:%s" : "%.255s:%s",
             sockets->count == 1 ? host : address->host, port);
}

bool listen_open(const struct listen_address *address, struct listen_sockets *ret_sockets,
                 char *error, size_t error_size)
{
    struct listen_sockets sockets = {.on_loopback = true};
    const bool on_all = *address->host == '\0';
    int failure = open_host(on_all ? "::" : address->host, address->port, &sockets);
    if (on_all && (failure == EAFNOSUPPORT || failure == EADDRNOTAVAIL))
        failure = open_host("0.0.0.0", address->port, &sockets);
    if (failure != 0) {
        snprintf(error, error_size, "can't listen there: %s",
                 failure < 0 ? gai_strerror(failure) : strerror(failure));
        listen_close(&sockets);
        return false;
    }
    describe(address, &sockets);
    *ret_sockets = sockets;
    return true;
}

void listen_close(struct listen_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->sockets[i]);
    sockets->count = 0;
}
