#include "server/http/malformed.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http/admit.h"
#include "server/http/reply.h"

enum { HEAD = 512 };

/* Of this event loop. */
static _Thread_local struct exchange *watched;

static void enter(struct exchange *exchange, struct MHD_Connection *connection)
{
    exchange->reading = (struct malformed_place){connection, watched, &watched};
    if (watched != NULL)
        watched->reading.link = &exchange->reading.next;
    watched = exchange;
}

void malformed_forget(struct exchange *exchange)
{
    struct malformed_place *place = &exchange->reading;
    if (place->link == NULL)
        return;
    *place->link = place->next;
    if (place->next != NULL)
        place->next->reading.link = place->link;
    place->link = NULL;
}

static size_t write_head(char head[HEAD], const struct exchange *exchange, size_t body_size)
{
    return (size_t)snprintf(head, HEAD,
                            "HTTP/1.1 %u %s\r\n"
                            "X-Request-Id: %s\r\n"
                            "Content-Type: application/problem+json\r\n"
                            "Content-Length: %zu\r\n"
                            "Connection: close\r\n\r\n",
                            exchange->status, MHD_get_reason_phrase_for(exchange->status),
                            exchange->request.id, body_size);
}

/* The socket has room: a request is read only after the answers before it have been sent. */
static void answer(struct exchange *exchange, enum problem_code code, const char *detail)
{
    char head[HEAD];
    struct problem problem = {0};
    struct buffer body = {0};
    struct json_writer writer = json_writer_to(&body);
    const int socket =
        MHD_get_connection_info(exchange->reading.connection, MHD_CONNECTION_INFO_CONNECTION_FD)
            ->connect_fd;
    problem_set(&problem, code, "%s", detail);
    admit_name(exchange, NULL);
    reply_write_problem(&problem, exchange->path, exchange->request.id, &writer);
    buffer_add(&body, "\n", 1);
    if (!body.failed) {
        exchange->status = problem_status(code);
        exchange->answer_bytes = body.size;
        struct iovec parts[] = {{head, write_head(head, exchange, body.size)},
                                {body.bytes, body.size}};
        sendmsg(socket, &(const struct msghdr){.msg_iov = parts, .msg_iovlen = 2},
                MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(socket, SHUT_RDWR);
    buffer_finish(&body);
    malformed_forget(exchange);
}

void malformed_watch(struct exchange *exchange, struct MHD_Connection *connection, const char *uri)
{
    unsigned parameters = 1;
    for (const char *at = strchr(uri, '?'); at != NULL; at = strchr(at + 1, '&'))
        parameters++;
    enter(exchange, connection);
    MHD_set_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE,
                             headers_no_cookies);
    if (strlen(uri) > LIMIT_URI || parameters > LIMIT_PARAMETERS)
        answer(exchange, PROBLEM_MALFORMED_REQUEST,
               "The request line is too long, or has too many parameters.");
}

static void look_at(struct exchange *exchange)
{
    uint64_t length;
    struct MHD_Connection *connection = exchange->reading.connection;
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (text == NULL || MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                    MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL)
        return;
    if (!headers_read_length(text, &length))
        answer(exchange, PROBLEM_MALFORMED_REQUEST, "The Content-Length is not a whole number.");
    else if (length == UINT64_MAX)
        answer(exchange, PROBLEM_BODY_TOO_LARGE, "The body is too large.");
}

void malformed_log(void *cls, const char *format, va_list arguments)
{
    (void)cls;
    (void)format;
    (void)arguments;
    for (struct exchange *next, *exchange = watched; exchange != NULL; exchange = next) {
        next = exchange->reading.next;
        look_at(exchange);
    }
}
