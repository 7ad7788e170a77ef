#include "server/healthcheck.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Splits "ADDR:PORT" or "[ADDR]:PORT". */
static bool split(const char *listen, char host[64], const char **port)
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL)
        return false;
    const char *start = *listen == '[' ? listen + 1 : listen;
    const char *end = *listen == '[' ? colon - 1 : colon;
    if (end < start || end - start >= 64)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    *port = colon + 1;
    if (strcmp(host, "0.0.0.0") == 0 || *host == '\0')
        strcpy(host, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        strcpy(host, "::1");
    return true;
}

static int connect_to(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const struct timeval patience = {.tv_sec = 2};
    struct addrinfo *addresses;
    if (getaddrinfo(host, port, &hints, &addresses) != 0)
        return -1;
    int connection = socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection >= 0) {
        setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        if (connect(connection, addresses->ai_addr, addresses->ai_addrlen) != 0) {
            close(connection);
            connection = -1;
        }
    }
    freeaddrinfo(addresses);
    return connection;
}

bool healthcheck(const char *listen)
{
    static const char question[] = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n"
                                   "Connection: close\r\n\r\n";
    static const char ready[] = "HTTP/1.1 200";
    char host[64], answer[sizeof ready] = "";
    const char *port;
    if (!split(listen, host, &port))
        return false;
    const int connection = connect_to(host, port);
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
