#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024, HOST = 64 };

/* Checked here, since getaddrinfo() takes larger numbers and cuts them. */
static bool is_port(const char *text)
{
    const size_t length = strspn(text, "0123456789");
    return length > 0 && length <= 5 && text[length] == '\0' && strtoul(text, NULL, 10) <= 65535;
}

/* Takes "host:port" or "[host]:port" apart; NULL where it is neither. */
static struct addrinfo *resolve(const char *text)
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text || !is_port(colon + 1))
        return NULL;
    const bool in_brackets = *text == '[' && colon[-1] == ']';
    const char *begin = in_brackets ? text + 1 : text;
    const char *end = in_brackets ? colon - 1 : colon;
    char host[HOST];
    if (end <= begin || end - begin >= HOST)
        return NULL;
    memcpy(host, begin, (size_t)(end - begin));
    host[end - begin] = '\0';

    const struct addrinfo hints = {.ai_family = in_brackets ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *info;
    return getaddrinfo(host, colon + 1, &hints, &info) == 0 ? info : NULL;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
    return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
}

static bool describe(int fd, char *address, size_t address_size, bool *on_loopback)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char host[HOST];
    char port[8];
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return false;
    snprintf(address, address_size, bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    *on_loopback = is_loopback(&bound);
    return true;
}

static bool bind_and_listen(int fd, const struct addrinfo *info)
{
    const int on = 1;
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
}

int http_listen(const char *listen_on, char *error, size_t error_size, char *address,
                size_t address_size, bool *on_loopback)
{
    struct addrinfo *info = resolve(listen_on);
    if (info == NULL) {
        snprintf(error, error_size, "not ADDRESS:PORT, e.g. 127.0.0.1:8080 or [::1]:8080");
        return -1;
    }
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || !bind_and_listen(fd, info) || !describe(fd, address, address_size, on_loopback)) {
        snprintf(error, error_size, "can't listen there: %s", strerror(errno));
        if (fd >= 0)
            close(fd);
        fd = -1;
    }
    freeaddrinfo(info);
    return fd;
}
