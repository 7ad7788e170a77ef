#include "tests/support/wire.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/service.h"

void wire_send_bytes(int connection, const void *bytes, size_t size)
{
    const char *next = bytes;
    while (size > 0) {
        const ssize_t sent = send(connection, next, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        next += sent;
        size -= (size_t)sent;
    }
}

void wire_send(int connection, const char *text)
{
    wire_send_bytes(connection, text, strlen(text));
}

static void await_bytes(int connection)
{
    struct pollfd event = {.fd = connection, .events = POLLIN};
    ck_assert_msg(poll(&event, 1, service_patience()) == 1, "the server neither sends nor closes");
}

size_t wire_read_bytes(int connection, char *out, size_t size)
{
    size_t used = 0;
    while (used < size) {
        await_bytes(connection);
        const ssize_t piece = recv(connection, out + used, size - used, 0);
        if (piece <= 0)
            break;
        used += (size_t)piece;
    }
    return used;
}

void wire_read_head(int connection, struct wire_answer *ret_answer)
{
    char *text = ret_answer->text;
    size_t size = 0;
    *text = '\0';
    ret_answer->status = 0;
    ret_answer->body = NULL;
    while (size < 4 || strcmp(text + size - 4, "\r\n\r\n") != 0) {
        ck_assert_uint_lt(size + 1, WIRE_ANSWER);
        if (wire_read_bytes(connection, text + size, 1) == 0)
            return;
        text[++size] = '\0';
    }
    ck_assert_msg(sscanf(text, "HTTP/1.1 %3ld ", &ret_answer->status) == 1, "%s", text);
    ret_answer->body = text + size;
}

const char *wire_header(const struct wire_answer *answer, const char *name)
{
    char line[64];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *found = answer->body != NULL ? strcasestr(answer->text, line) : NULL;
    return found != NULL && found < answer->body ? found + strlen(line) : NULL;
}

void wire_read(int connection, struct wire_answer *ret_answer)
{
    wire_read_head(connection, ret_answer);
    const char *length = wire_header(ret_answer, "Content-Length");
    if (length == NULL)
        return;
    const size_t size = strtoul(length, NULL, 10);
    char *body = ret_answer->text + (ret_answer->body - ret_answer->text);
    ck_assert_uint_lt((size_t)(body - ret_answer->text) + size, WIRE_ANSWER);
    const size_t came = wire_read_bytes(connection, body, size);
    body[came] = '\0';
    if (came < size)
        ret_answer->status = 0;
}

void wire_begin(int connection, const char *lines, const char *body)
{
    char length[64];
    wire_send(connection, lines);
    snprintf(length, sizeof length, "Content-Length: %zu\r\n\r\n", strlen(body));
    wire_send(connection, length);
    wire_send_bytes(connection, body, strlen(body) - 1);
}

long wire_end(int connection, const char *body)
{
    static struct wire_answer answer;
    wire_send(connection, body + strlen(body) - 1);
    wire_read(connection, &answer);
    close(connection);
    return answer.status;
}

long wire_ask(int connection, const char *path)
{
    char request[512];
    struct wire_answer answer;
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    wire_send(connection, request);
    wire_read(connection, &answer);
    return answer.status;
}

bool wire_is_closed(int connection)
{
    char byte;
    await_bytes(connection);
    return recv(connection, &byte, 1, 0) <= 0;
}

int wire_connect(bool by_v6, unsigned port)
{
    const struct sockaddr_in v4 = {.sin_family = AF_INET,
                                   .sin_port = htons((in_port_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
                                    .sin6_port = htons((in_port_t)port),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const int connection = socket(by_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return -1;
    if (connect(connection, by_v6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4,
                by_v6 ? sizeof v6 : sizeof v4) == 0)
        return connection;
    close(connection);
    return -1;
}
