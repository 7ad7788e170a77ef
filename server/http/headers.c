#include "server/http/headers.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/base/limits.h"

enum { SHOWN_HOST = 100 }; /* bytes of a wrong one */

struct reader {
    struct headers headers;
    const char *content_length;
    const char *transfer_encoding;
    const char *end; /* of the last line: libmicrohttpd has replaced its CR LF by NULs */
    bool has_wait;   /* a Prefer: wait=N */
    bool is_malformed;
};

/* Lines that libmicrohttpd does not understand it passes over in silence: folded ones, those
 * without a name (which end the header for it, and what follows is the next request), and whatever
 * stands after a NUL in a value. It reads in place, so that each line it has understood begins
 * right after the one before; a gap shows such a line. */
static bool continues(const struct reader *reader, const char *next)
{
    return next == reader->end + 2 && reader->end[0] == '\0' && reader->end[1] == '\0';
}

/* Whether only the empty line came after the last one. */
static bool is_complete(const struct reader *reader, struct MHD_Connection *connection,
                        const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info != NULL && continues(reader, method + info->header_size - strlen("\r\n"));
}

/* Whether the bytes are this word, in capitals or not. */
static bool is_word(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && strncasecmp(text, word, size) == 0;
}

static bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '-' &&
            (text[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", text[i])))
            return false;
    return size > 0;
}

static bool is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' ? text[i] != '\t' : text[i] == 127)
            return false;
    return true;
}

/* wait=10, wait="10", wait = 10 */
static bool read_wait(const char *text, unsigned *ret_seconds)
{
    char *end;
    if (strncasecmp(text, "wait", 4) != 0)
        return false;
    text += 4 + strspn(text + 4, " \t");
    if (*text != '=')
        return false;
    text += 1 + strspn(text + 1, " \t");
    const bool is_quoted = *text == '"';
    text += is_quoted;
    const unsigned long long seconds = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || (is_quoted && *end != '"') ||
        strchr(" \t,;", end[is_quoted]) == NULL)
        return false;
    *ret_seconds = seconds < LIMIT_WAIT_SECONDS ? (unsigned)seconds : LIMIT_WAIT_SECONDS;
    return true;
}

/* Prefer: respond-async, wait=10; the first wait counts. */
static void read_preferences(const char *text, struct reader *reader)
{
    while (!reader->has_wait && *text != '\0') {
        text += strspn(text, " \t,");
        reader->has_wait = read_wait(text, &reader->headers.wait_seconds);
        text += strcspn(text, ",");
    }
}

/* One coding only. */
static void read_coding(const char *value, struct headers *headers)
{
    const bool is_gzip = strcasecmp(value, "gzip") == 0 || strcasecmp(value, "x-gzip") == 0;
    if (*value == '\0' || strcasecmp(value, "identity") == 0)
        return;
    headers->coding = is_gzip && headers->coding == CODING_NONE ? CODING_GZIP : CODING_UNKNOWN;
}

const char headers_no_cookies[] = "none";

/* Keeps a header that is text, if it is known. */
static void keep_text(struct reader *reader, const char *name, const char *value)
{
    static const struct {
        const char *name;
        size_t offset;
        bool comes_once;
    } texts[] = {
        {"Host", offsetof(struct reader, headers.host), true},
        {"Content-Length", offsetof(struct reader, content_length), true},
        {"Transfer-Encoding", offsetof(struct reader, transfer_encoding), true},
        {"Content-Type", offsetof(struct reader, headers.content_type), true},
        {"Origin", offsetof(struct reader, headers.origin), true},
        {"Sec-Fetch-Site", offsetof(struct reader, headers.fetch_site), true},
        {"Authorization", offsetof(struct reader, headers.authorization), true},
        {"Accept", offsetof(struct reader, headers.accept), false},
        {"Accept-Encoding", offsetof(struct reader, headers.accept_encoding), false},
        {"X-Request-Id", offsetof(struct reader, headers.request_id), false},
        {"If-Match", offsetof(struct reader, headers.if_match), true},
        {"Idempotency-Key", offsetof(struct reader, headers.idempotency_key), true},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcasecmp(name, texts[i].name) == 0) {
            const char **text = (const char **)(void *)((char *)reader + texts[i].offset);
            reader->is_malformed |= texts[i].comes_once && *text != NULL;
            *text = value;
        }
}

/* Blanks around a value are not part of it, and libmicrohttpd leaves those after it. Where a body
 * ends, it has already decided by the value with them: such a one stays, and is refused. The bytes
 * are those that were received: they may be written. */
static void cut_blanks(const char *name, const char *value, size_t size)
{
    char *text = (char *)(uintptr_t)value;
    if (strcasecmp(name, "Content-Length") == 0 || strcasecmp(name, "Transfer-Encoding") == 0)
        return;
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t'))
        text[--size] = '\0';
}

static enum MHD_Result read_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct reader *reader = cls;
    if (value == headers_no_cookies)
        return MHD_YES;
    if (value == NULL)
        value = "";
    if (!is_token(name, name_size) || !is_field_value(value, value_size) ||
        !continues(reader, name)) {
        reader->is_malformed = true;
        return MHD_NO;
    }
    reader->end = value + value_size;
    cut_blanks(name, value, value_size);
    if (strcasecmp(name, "Content-Encoding") == 0)
        read_coding(value, &reader->headers);
    else if (strcasecmp(name, "Expect") == 0)
        reader->headers.expects_continue = strcasecmp(value, "100-continue") == 0;
    else if (strcasecmp(name, "Prefer") == 0)
        read_preferences(value, reader);
    else
        keep_text(reader, name, value);
    return MHD_YES;
}

bool headers_read_length(const char *text, uint64_t *ret_length)
{
    char *end;
    const uint64_t length = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0')
        return false;
    *ret_length = length;
    return true;
}

/* Whether the end of the body is where every program sees it. */
static bool read_framing(struct reader *reader, bool is_http_1_0)
{
    const char *length = reader->content_length;
    const char *encoding = reader->transfer_encoding;
    if (length != NULL && !headers_read_length(length, &reader->headers.length))
        return false;
    return encoding == NULL ||
           (length == NULL && !is_http_1_0 && strcasecmp(encoding, "chunked") == 0);
}

bool headers_read(struct MHD_Connection *connection, const char *method, const char *version,
                  struct headers *headers, struct problem *problem)
{
    struct reader reader = {.end = version + strlen(version)};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_header, &reader);
    const bool is_http_1_0 = strcmp(version, "HTTP/1.1") != 0;
    if (reader.is_malformed || !is_complete(&reader, connection, method) ||
        !read_framing(&reader, is_http_1_0))
        return problem_set(problem, PROBLEM_MALFORMED_REQUEST,
                           "The headers are malformed, repeated or contradict each other.");
    if (reader.headers.host == NULL && !is_http_1_0)
        return problem_set(problem, PROBLEM_MALFORMED_REQUEST, "The Host header is missing.");
    *headers = reader.headers;
    return true;
}

/* The bytes before ":port". */
static size_t host_length(const char *host)
{
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    return bracket != NULL ? (size_t)(bracket - host) + 1 : strcspn(host, ":");
}

/* Whether only a port follows, or nothing. */
static bool ends_with_port(const char *host)
{
    const char *rest = host + host_length(host);
    if (*rest == '\0')
        return true;
    const size_t digits = strspn(rest + 1, "0123456789");
    return *rest == ':' && rest[1 + digits] == '\0' && strtoul(rest + 1, NULL, 10) <= UINT16_MAX;
}

/* Four decimal numbers: 127.evil.example is none. */
static bool is_loopback_address(const char *host, size_t length)
{
    char text[INET_ADDRSTRLEN] = "";
    struct in_addr address;
    if (length >= sizeof text)
        return false;
    memcpy(text, host, length);
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}

static bool is_loopback_name(const char *host)
{
    static const char end[] = ".localhost";
    const size_t end_size = sizeof end - 1, size = host_length(host);
    return is_loopback_address(host, size) || is_word(host, size, "[::1]") ||
           is_word(host, size, end + 1) ||
           (size > end_size && is_word(host + size - end_size, end_size, end));
}

/* Compares host:port; a missing port is the scheme's own. */
static bool is_same_origin(const char *origin, const char *host)
{
    const char *port = strncasecmp(origin, "http://", 7) == 0    ? ":80"
                       : strncasecmp(origin, "https://", 8) == 0 ? ":443"
                                                                 : NULL;
    if (port == NULL || host == NULL)
        return false;
    const char *from = strchr(origin, '/') + 2;
    const size_t from_length = host_length(from);
    const size_t length = host_length(host);
    const char *from_port = from[from_length] == '\0' ? port : from + from_length;
    const char *host_port = host[length] == '\0' ? port : host + length;
    return from_length == length && strncasecmp(from, host, length) == 0 &&
           strcmp(from_port, host_port) == 0;
}

static bool is_name(const char *name, size_t size, const char *host)
{
    if (is_word(name, size, "localhost"))
        return is_loopback_name(host);
    return is_word(name, size, "*") ||
           (host_length(host) == size && strncasecmp(name, host, size) == 0);
}

/* The next name of a list, whose size is 0 at the end of the list. */
static const char *next_name(const char *hosts, size_t *ret_size)
{
    static const char separators[] = ", \t";
    hosts += strspn(hosts, separators);
    *ret_size = strcspn(hosts, separators);
    return hosts;
}

static bool is_one_of(const char *hosts, const char *host)
{
    size_t size;
    for (hosts = next_name(hosts, &size); size > 0; hosts = next_name(hosts + size, &size))
        if (is_name(hosts, size, host))
            return true;
    return false;
}

/* "iris.example", "192.0.2.1", "[::1]", "*" */
static bool is_host(const char *name, size_t size)
{
    static const char hexadecimal[] = "0123456789abcdefABCDEF:.";
    if (*name == '[')
        return size > 2 && strspn(name + 1, hexadecimal) == size - 2 && name[size - 1] == ']';
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("-._", name[i]) == NULL)
            return size == 1 && *name == '*';
    return size > 0;
}

static bool has_port(const char *host, size_t size)
{
    const size_t before = host_length(host);
    return before < size && is_host(host, before) &&
           strspn(host + before + 1, "0123456789") == size - before - 1;
}

bool headers_check_hosts(const char *hosts, char *error, size_t error_size)
{
    size_t size, count = 0;
    for (hosts = next_name(hosts, &size); size > 0; hosts = next_name(hosts + size, &size)) {
        count++;
        if (is_host(hosts, size))
            continue;
        snprintf(error, error_size,
                 has_port(hosts, size)
                     ? "\"%.*s\": leave out the port"
                     : "\"%.*s\" is not a host name, an address ([::1] in brackets) or *",
                 size < SHOWN_HOST ? (int)size : SHOWN_HOST, hosts);
        return false;
    }
    if (count == 0)
        snprintf(error, error_size, "it names no host");
    return count > 0;
}

bool headers_may_ask(const struct headers *headers, const char *hosts, struct problem *problem)
{
    const char *site = headers->fetch_site;
    if (headers->host != NULL &&
        !(ends_with_port(headers->host) && is_one_of(hosts, headers->host)))
        return problem_set(
            problem, PROBLEM_FOREIGN_HOST,
            "The service does not answer to this Host: --hosts lists those it answers to.");
    if ((headers->origin != NULL && !is_same_origin(headers->origin, headers->host)) ||
        (site != NULL && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0))
        return problem_set(problem, PROBLEM_FOREIGN_ORIGIN,
                           "Web pages of other origins may not use this service.");
    return true;
}

bool headers_media_is(const char *type, const char *media)
{
    return type != NULL && is_word(type, strcspn(type, "; \t"), media);
}

/* ";q=0", "; q=0.000" */
static bool has_no_weight(const char *parameters)
{
    const char *weight = parameters + strspn(parameters, "; \t");
    if (strncasecmp(weight, "q=", 2) != 0)
        return false;
    weight += 2;
    return *weight == '0' && strspn(weight, "0.") == strcspn(weight, ", \t;");
}

bool headers_list_names(const char *list, const char *name)
{
    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        const size_t length = strcspn(list, ",; \t");
        if (is_word(list, length, name))
            return !has_no_weight(list + length);
        list += strcspn(list, ",");
    }
    return false;
}
