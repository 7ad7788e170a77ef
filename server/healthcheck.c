#include "server/healthcheck.h"

#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "server/http/listener.h"
#include "server/http/tls.h"

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

/* The first address that answers. All addresses, as NULL, "0.0.0.0" or "::", are the loopback to
 * getaddrinfo() or connect(). */
static int connect_to_any(const struct listener_address *address)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *host = *address->host != '\0' ? address->host : NULL;
    struct addrinfo *list;
    int connection = -1;
    if (getaddrinfo(host, address->port, &hints, &list) != 0)
        return -1;
    for (const struct addrinfo *info = list; info != NULL && connection < 0; info = info->ai_next)
        connection = connect_to(info);
    freeaddrinfo(list);
    return connection;
}

static bool ask(int connection, const char *question, char *answer, size_t size)
{
    return send(connection, question, strlen(question), MSG_NOSIGNAL) >= 0 &&
           recv(connection, answer, size, MSG_WAITALL) >= 0;
}

bool healthcheck(const struct listener_address *address, bool is_encrypted)
{
    static const char question[] = "GET /health/ready HTTP/1.1\r\nHost: localhost\r\n"
                                   "Connection: close\r\n\r\n";
    static const char ready[] = "HTTP/1.1 200";
    char answer[sizeof ready] = "";
    const int connection = connect_to_any(address);
    if (connection < 0)
        return false;
    const bool has_answered =
        (is_encrypted ? tls_ask : ask)(connection, question, answer, strlen(ready));
    const bool is_ready = has_answered && strcmp(answer, ready) == 0;
    close(connection);
    return is_ready;
}
