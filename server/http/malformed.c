#include "server/http/malformed.h"

#include <microhttpd.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "server/http/internal.h"

enum { ANSWER = 2048 }; /* bytes; paths and ids are short */

/* The head of the list of this event loop. */
static _Thread_local struct malformed_place watched;

void malformed_forget(struct exchange *exchange)
{
    remque(&exchange->reading);
}

/* The socket has room: a request is read only after the answers before it have been sent. */
static void answer(struct exchange *exchange, enum problem_code code, const char *detail)
{
    char text[ANSWER];
    struct problem problem = {0};
    struct buffer body = {0};
    const int socket = exchange->connection.socket;
    problem_set(&problem, code, "%s", detail);
    reply_write_problem(&problem, exchange->path, exchange->request.id, &body);
    buffer_add(&body, "\n", 1);
    exchange->status = problem_status(code);
    exchange->answer_bytes = body.size;
    if (!body.failed) {
        const int size = snprintf(text, sizeof text,
                                  "HTTP/1.1 %u %s\r\n"
                                  "X-Request-Id: %s\r\n"
                                  "Content-Type: application/problem+json\r\n"
                                  "Content-Length: %zu\r\n"
                                  "Connection: close\r\n\r\n"
                                  "%.*s",
                                  exchange->status, MHD_get_reason_phrase_for(exchange->status),
                                  exchange->request.id, body.size, (int)body.size, body.bytes);
        if (tls_is_on())
            tls_send(exchange->connection.handle, text, (size_t)size);
        else
            send(socket, text, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    shutdown(socket, SHUT_RDWR);
    buffer_finish(&body);
}

void malformed_watch(struct exchange *exchange, const char *uri)
{
    unsigned parameters = 1;
    for (const char *at = strchr(uri, '?'); at != NULL; at = strchr(at + 1, '&'))
        parameters++;
    exchange->reading.exchange = exchange;
    insque(&exchange->reading, &watched);
    MHD_set_connection_value(exchange->connection.handle, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE,
                             headers_no_cookies);
    if (strlen(uri) > LIMIT_URI || parameters > LIMIT_PARAMETERS)
        answer(exchange, PROBLEM_MALFORMED_REQUEST,
               "The request line is too long, or has too many parameters.");
}

static void look_at(struct exchange *exchange)
{
    uint64_t length;
    struct MHD_Connection *connection = exchange->connection.handle;
    const char *text =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);
    if (exchange->status != 0 || text == NULL ||
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
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
    for (struct malformed_place *at = watched.next; at != NULL; at = at->next)
        look_at(at->exchange);
}
