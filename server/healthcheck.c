#include "server/healthcheck.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/http/listen.h"

/* A server on all addresses is asked on the loopback: NULL stands for that of both families. */
static const char *host_to_ask(const struct listen_address *address)
{
    if (strcmp(address->host, "0.0.0.0") == 0)
        return "127.0.0.1";
    if (strcmp(address->host, "::") == 0)
        return "::1";
    return *address->host != '\0' ? address->host : NULL;
}

static int connect_to(const struct addrinfo *info)
{
    const struct timeval patience = {.tv_sec = 2};
    const int connection = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return -1;
    setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(connection, info->ai_addr, info->ai_addrlen) == 0)
        return connection;
    close(connection);
    return -1;
}

/* The first address that answers. */
static int connect_to_any(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list;
    int connection = -1;
    if (getaddrinfo(host, port, &hints, &list) != 0)
        return -1;
    for (const struct addrinfo *info = list; info != NULL && connection < 0; info = info->ai_next)
        connection = connect_to(info);
    freeaddrinfo(list);
    return connection;
}

bool healthcheck(const char *listen)
{
    static const char question[] = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n"
                                   "Connection: close\r\n\r\n";
    static const char ready[] = "HTTP/1.1 200";
    struct listen_address address;
    char answer[sizeof ready] = "";
    if (!listen_address_read(listen, &address))
        return false;
    const int connection = connect_to_any(host_to_ask(&address), address.port);
    if (connection < 0)
        return false;
    const ssize_t size = sizeof ready - 1;
    const bool is_ready = send(connection, question, sizeof question - 1, MSG_NOSIGNAL) ==
                              (ssize_t)(sizeof question - 1) &&
                          recv(connection, answer, (size_t)size, MSG_WAITALL) == size &&
                          memcmp(answer, ready, (size_t)size) == 0;
    close(connection);
    return is_ready;
}
