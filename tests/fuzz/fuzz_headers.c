/* Any bytes as the lines of a header, as libmicrohttpd reads them: in place, with NULs for the ends
 * of names and lines, and with much that is not allowed. What the filter accepts
 * is a header that every program reads in the same way. The functions of libmicrohttpd that the
 * filter calls are here in place of the library's. */
#include <ctype.h>
#include <microhttpd.h>
#include <string.h>
#include <strings.h>

#include "server/base/limits.h"
#include "server/http/headers.h"
#include "tests/fuzz/fuzz.h"

enum { LINES = 64, BYTES = 4096 };

static const char request_line[] = "GET\0/\0HTTP/1.1\0";

struct line {
    char *name, *value;
    size_t name_size, value_size;
};

struct MHD_Connection {
    char text[sizeof request_line + BYTES + 8]; /* has an empty line after the input */
    char folded[BYTES + 8];
    size_t size; /* with the empty line */
    size_t count;
    struct line lines[LINES];
    union MHD_ConnectionInfo info;
};

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN iterator, void *cls)
{
    demand(kind == MHD_HEADER_KIND);
    for (size_t i = 0; i < connection->count; i++)
        if (iterator(cls, kind, connection->lines[i].name, connection->lines[i].name_size,
                     connection->lines[i].value, connection->lines[i].value_size) != MHD_YES)
            return (int)i + 1;
    return (int)connection->count;
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...)
{
    demand(type == MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    connection->info.header_size = connection->size;
    return &connection->info;
}

/* A folded line is added to the value before it, which is copied for that. */
static bool fold(struct MHD_Connection *connection, const char *line)
{
    if (connection->count == 0)
        return false;
    struct line *last = &connection->lines[connection->count - 1];
    const size_t size = strlen(line);
    memmove(connection->folded, last->value, last->value_size);
    memcpy(connection->folded + last->value_size, line, size + 1);
    last->value = connection->folded;
    last->value_size += size;
    return true;
}

static bool add_line(struct MHD_Connection *connection, char *line)
{
    char *colon = strchr(line, ':');
    if (colon == NULL || connection->count == LINES)
        return false;
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    connection->lines[connection->count++] =
        (struct line){line, value, strlen(line), strlen(value)};
    return true;
}

/* Reads the lines as the library does, up to the empty one. A line may end with a single CR or LF.
 * False: the library refuses them itself. */
static bool read_lines(struct MHD_Connection *connection)
{
    char *line = connection->text + sizeof request_line;
    for (char *next;; line = next) {
        char *end = line + strcspn(line, "\r\n");
        while (*end == '\0') /* a NUL does not end it */
            end += 1 + strcspn(end + 1, "\r\n");
        next = end + (end[0] == '\r' && end[1] == '\n' ? 2 : 1);
        memset(end, 0, (size_t)(next - end));
        if (*line == '\0') { /* the empty line, or one that begins with a NUL */
            connection->size = (size_t)(next - connection->text);
            return true;
        }
        if (*line == ' ' || *line == '\t' ? !fold(connection, line) : !add_line(connection, line))
            return false;
    }
    return false;
}

static void receive(struct MHD_Connection *connection, const uint8_t *data, size_t size)
{
    memset(connection, 0, sizeof *connection);
    memcpy(connection->text, request_line, sizeof request_line);
    char *text = connection->text + sizeof request_line;
    memcpy(text, data, size);
    memcpy(text + size, "\r\n\r\n", 4);
}

/* --- what RFC 9112 allows --- */

static bool is_name(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) &&
            (strchr("!#$%&'*+-.^_`|~", text[i]) == NULL || text[i] == '\0'))
            return false;
    return size > 0;
}

static bool is_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 127)
            return false;
    return true;
}

/* The lines are those that the library has read: a NUL is its own, or one of the client's, which
 * nothing can tell from it. */
static size_t count_lines(const struct MHD_Connection *raw, const char *name)
{
    size_t count = 0;
    const char *line = raw->text + sizeof request_line;
    const char *const end = raw->text + raw->size - 2;
    while (line < end) {
        const char *value = line + strlen(line) + 1;
        const char *next = value + strlen(value) + 2;
        demand(is_name(line, strlen(line)) && is_value(value, strlen(value)));
        demand(next <= end && next[-1] == '\0');
        count += strcasecmp(line, name) == 0;
        line = next;
    }
    demand(line == end);
    return count;
}

static void demand_plain(const struct MHD_Connection *raw, const struct headers *headers)
{
    demand(count_lines(raw, "Host") == 1 && headers->host != NULL);
    const size_t lengths = count_lines(raw, "Content-Length");
    demand(lengths <= 1 && (lengths == 1 || headers->length == 0));
    demand(count_lines(raw, "Transfer-Encoding") + lengths <= 1);
    demand(count_lines(raw, "Content-Type") <= 1 && count_lines(raw, "Origin") <= 1);
    demand(headers->wait_seconds <= LIMIT_WAIT_SECONDS);
}

/* Who may ask, of a header that is accepted; and any bytes as a list of hosts. */
static void ask(const struct headers *headers, const uint8_t *data, size_t size)
{
    char list[BYTES + 1], error[256];
    struct problem problem = {0};
    demand_outcome(headers_may_ask(headers, "localhost, a.example", &problem), &problem);
    demand(headers->origin == NULL || headers->host != NULL);
    headers_list_names(headers->accept, "application/x-npy");
    headers_list_names(headers->accept_encoding, "gzip");
    headers_media_is(headers->content_type, "application/json");
    memcpy(list, data, size);
    list[size] = '\0';
    if (headers_check_hosts(list, error, sizeof error)) {
        problem = (struct problem){0};
        demand_outcome(headers_may_ask(headers, list, &problem), &problem);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct MHD_Connection raw, read;
    struct headers headers;
    struct problem problem = {0};
    if (size > BYTES - 4)
        return 0;
    receive(&read, data, size);
    if (!read_lines(&read))
        return 0;
    raw = read; /* the filter writes to what it reads */
    const char *version = read.text + strlen("GET") + 1 + strlen("/") + 1;
    const bool is_accepted = headers_read(&read, read.text, version, &headers, &problem);
    demand_outcome(is_accepted, &problem);
    if (is_accepted) {
        demand_plain(&raw, &headers);
        ask(&headers, data, size);
    }
    return 0;
}
