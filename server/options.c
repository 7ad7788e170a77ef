#include "server/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "server/http/headers.h"
#include "server/http/listen.h"

enum { REASON = 256, NAME = 64 };
enum { CONNECTIONS_DEFAULT = 4096 };

#define KIB               1024ull
#define MIB               (1024 * KIB)
#define TIB               (1024 * 1024 * MIB)
#define MODEL_CACHE_BYTES (256 * MIB)

/* Each option has one place in the options; its kind says how its text is read. */
enum option_kind { TEXT, LISTEN, HOSTS, SIZE, NUMBER, LOG };

static const struct option {
    const char *name;  /* of --name and of TEMPOTROND_NAME */
    const char *value; /* as the help shows it */
    const char *help;
    enum option_kind kind;
    size_t offset;
    unsigned long long min, max;
} table[] = {
    {"listen", "ADDRESS:PORT",
     "where to serve (127.0.0.1:8080). :8080 and [::]:8080\n"
     "are all addresses, 0.0.0.0:8080 those of IPv4, a name\n"
     "is all its addresses. Port 0 picks a free one.",
     LISTEN, offsetof(struct options, listen), 0, 0},
    {"hosts", "NAMES",
     "the hosts that requests may name, without ports, with\n"
     "commas or blanks between them; localhost is any name\n"
     "of the loopback, * any name (localhost if --listen is\n"
     "on the loopback, else *)",
     HOSTS, offsetof(struct options, hosts), 0, 0},
    {"db", "FILE", "the database, created if absent (./tempotron.db)", TEXT,
     offsetof(struct options, db), 0, 0},
    {"connections", "N",
     "how many may be open (4096); at the limit the one\n"
     "that was idle longest makes room, and if none is\n"
     "idle, a new one is answered 503",
     NUMBER, offsetof(struct options, connections), 1, 65536},
    {"max-body", "SIZE", "the largest body of one request (64M)", SIZE,
     offsetof(struct options, max_body_bytes), KIB, TIB},
    {"max-bodies", "SIZE", "the bodies of all requests in progress (512M)", SIZE,
     offsetof(struct options, max_bodies_bytes), KIB, TIB},
    {"max-dataset", "SIZE", "the largest file of a dataset, and its array (1G)", SIZE,
     offsetof(struct options, max_dataset_bytes), KIB, TIB},
    {"model-cache", "SIZE", "the models that are kept in memory (256M)", SIZE,
     offsetof(struct options, model_cache_bytes), KIB, TIB},
    {"request-timeout", "SECONDS", "the time in which a whole request must arrive (60)", NUMBER,
     offsetof(struct options, request_timeout_seconds), 1, 86400},
    {"drain-timeout", "SECONDS", "how long a stopping server finishes requests (25)", NUMBER,
     offsetof(struct options, drain_timeout_seconds), 0, 86400},
    {"workers", "N", "models that train at the same time (one a core)", NUMBER,
     offsetof(struct options, workers), 1, 256},
    {"threads", "N", "threads of one run, and for large requests (one a core)", NUMBER,
     offsetof(struct options, threads), 1, 256},
    {"log", "WHAT",
     "requests: each request and each run; errors: only\n"
     "answers of 500 and more, and runs that fail (requests)",
     LOG, offsetof(struct options, log_requests), 0, 0},
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

static void print_help(void)
{
    puts("tempotrond encodes values as spike times, trains tempotrons and serves predictions.\n"
         "\n"
         "usage: tempotrond [--OPTION VALUE]...\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char flag[NAME];
        snprintf(flag, sizeof flag, "--%s %s", table[i].name, table[i].value);
        const char *left = flag;
        for (const char *line = table[i].help; *line != '\0'; left = "") {
            const size_t size = strcspn(line, "\n");
            printf("  %-27s%.*s\n", left, (int)size, line);
            line += size + (line[size] == '\n');
        }
    }
    puts("  --healthcheck              ask the server at --listen whether it is ready: exit 0\n"
         "                             if it is, else 1\n"
         "  --help, --version\n"
         "\n"
         "Defaults are in parentheses. A SIZE is a number of bytes, or has K, M, G or T after\n"
         "it (or KiB, MiB, GiB, TiB): powers of 1024. Each option has an environment variable,\n"
         "e.g. TEMPOTROND_MAX_BODY: a flag overrides it, and an empty one counts as unset.");
}

/* Prints one line, whatever the user has written. */
__attribute__((format(printf, 1, 2))) static enum options_result wrong(const char *format, ...)
{
    char line[2 * REASON];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    for (char *at = line; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = '?';
    fprintf(stderr, "tempotrond: %s\n", line);
    return OPTIONS_WRONG;
}

/* --- values: each reader returns false with the reason --- */

static bool read_digits(const char *text, const char **ret_end, unsigned long long *ret_number)
{
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || errno != 0)
        return false;
    *ret_end = end;
    *ret_number = number;
    return true;
}

static bool read_number(const char *text, const struct option *option, unsigned *number,
                        char *reason)
{
    unsigned long long value;
    const char *end;
    if (read_digits(text, &end, &value) && *end == '\0' && value >= option->min &&
        value <= option->max) {
        *number = (unsigned)value;
        return true;
    }
    snprintf(reason, REASON, "\"%.100s\" is not a whole number from %llu to %llu", text,
             option->min, option->max);
    return false;
}

/* What stands after the digits of a size, as a factor; 0 if it is no unit. */
static unsigned long long unit_of(const char *text)
{
    static const char letters[] = "KMGT";
    unsigned long long unit = KIB;
    if (*text == '\0')
        return 1;
    for (const char *letter = letters; *letter != '\0'; letter++, unit *= KIB)
        if (toupper((unsigned char)*text) == *letter)
            return text[1] == '\0' || strcmp(text + 1, "iB") == 0 ? unit : 0;
    return 0;
}

static bool read_size(const char *text, const struct option *option, size_t *size, char *reason)
{
    unsigned long long number;
    const char *end;
    const bool is_number = read_digits(text, &end, &number);
    const unsigned long long unit = is_number ? unit_of(end) : 0;
    if (unit == 0) {
        snprintf(reason, REASON,
                 "\"%.100s\" is not a size, e.g. 64M or 64MiB (K, M, G and T are powers of 1024)",
                 text);
        return false;
    }
    if (number > option->max / unit || number * unit < option->min) {
        snprintf(reason, REASON, "\"%.100s\" is not between %lluK and %lluT", text,
                 option->min / KIB, option->max / TIB);
        return false;
    }
    *size = (size_t)(number * unit);
    return true;
}

static bool read_listen(const char *text, char *reason)
{
    struct listen_address address;
    if (listen_address_read(text, &address))
        return true;
    snprintf(reason, REASON,
             "\"%.100s\" is not ADDRESS:PORT, e.g. 127.0.0.1:8080, [::1]:8080, :8080", text);
    return false;
}

static bool read_log(const char *text, bool *log_requests, char *reason)
{
    *log_requests = strcmp(text, "requests") == 0;
    if (*log_requests || strcmp(text, "errors") == 0)
        return true;
    snprintf(reason, REASON, "\"%.100s\" is neither requests nor errors", text);
    return false;
}

static bool read_value(struct options *options, const struct option *option, const char *text,
                       char *reason)
{
    void *place = (char *)options + option->offset;
    switch (option->kind) {
    case SIZE:
        return read_size(text, option, place, reason);
    case NUMBER:
        return read_number(text, option, place, reason);
    case LOG:
        return read_log(text, place, reason);
    case LISTEN:
    case HOSTS:
    case TEXT:
        memcpy(place, &text, sizeof text);
        return (option->kind != LISTEN || read_listen(text, reason)) &&
               (option->kind != HOSTS || headers_check_hosts(text, reason, REASON));
    }
    return false;
}

/* --- where they come from --- */

static enum options_result set_option(struct options *options, const struct option *option,
                                      const char *source, const char *text)
{
    char reason[REASON];
    if (*text == '\0')
        return wrong("%s needs a value: %s", source, option->value);
    if (!read_value(options, option, text, reason))
        return wrong("%s: %s", source, reason);
    return OPTIONS_GO_ON;
}

static enum options_result read_environment(struct options *options)
{
    enum options_result result = OPTIONS_GO_ON;
    for (size_t i = 0; result == OPTIONS_GO_ON && i < OPTION_COUNT; i++) {
        char name[NAME];
        snprintf(name, sizeof name, "TEMPOTROND_%s", table[i].name);
        for (char *at = name; *at != '\0'; at++)
            *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
        const char *text = getenv(name);
        if (text != NULL && *text != '\0')
            result = set_option(options, &table[i], name, text);
    }
    return result;
}

/* The option of "--name" or "--name=VALUE"; NULL: none. */
static const struct option *find_option(const char *flag)
{
    for (size_t i = 0; strncmp(flag, "--", 2) == 0 && i < OPTION_COUNT; i++) {
        const size_t size = strlen(table[i].name);
        if (strncmp(flag + 2, table[i].name, size) == 0 &&
            (flag[2 + size] == '\0' || flag[2 + size] == '='))
            return &table[i];
    }
    return NULL;
}

/* Moves *index on to the value. */
static enum options_result read_flag(struct options *options, int argc, char **argv, int *index)
{
    const char *flag = argv[*index];
    const struct option *option = find_option(flag);
    char name[NAME];
    if (option == NULL && *flag != '-')
        return wrong("\"%.100s\" is not an option: they begin with -- (see --help)", flag);
    if (option == NULL)
        return wrong("there is no option \"%.100s\" (see --help)", flag);
    snprintf(name, sizeof name, "--%s", option->name);
    const char *text = strchr(flag, '=');
    if (text != NULL)
        return set_option(options, option, name, text + 1);
    const bool has_value = *index + 1 < argc && strncmp(argv[*index + 1], "--", 2) != 0;
    return set_option(options, option, name, has_value ? argv[++*index] : "");
}

static enum options_result read_flags(struct options *options, int argc, char **argv)
{
    enum options_result result = OPTIONS_GO_ON;
    for (int i = 1; result == OPTIONS_GO_ON && i < argc; i++) {
        if (strcmp(argv[i], "--healthcheck") == 0)
            options->healthcheck = true;
        else
            result = read_flag(options, argc, argv, &i);
    }
    return result;
}

/* Whether one of the flags asks for a text instead, whatever the others are. */
static bool print_text(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const bool is_help = strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0;
        if (is_help)
            print_help();
        else if (strcmp(argv[i], "--version") == 0)
            puts("tempotrond " TEMPOTROND_VERSION);
        else
            continue;
        return true;
    }
    return false;
}

enum options_result options_read(int argc, char **argv, struct options *ret_options)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .listen = "127.0.0.1:8080",
        .db = "./tempotron.db",
        .connections = CONNECTIONS_DEFAULT,
        .max_body_bytes = LIMIT_BODY_DEFAULT,
        .max_bodies_bytes = LIMIT_BODIES_DEFAULT,
        .max_dataset_bytes = LIMIT_DATASET_DEFAULT,
        .model_cache_bytes = MODEL_CACHE_BYTES,
        .request_timeout_seconds = 60,
        .drain_timeout_seconds = 25,
        .workers = cores > 0 ? (unsigned)cores : 1,
        .threads = cores > 0 ? (unsigned)cores : 1,
        .log_requests = true,
    };
    if (print_text(argc, argv))
        return OPTIONS_DONE;
    enum options_result result = read_environment(&options);
    if (result == OPTIONS_GO_ON)
        result = read_flags(&options, argc, argv);
    if (result == OPTIONS_GO_ON && options.max_bodies_bytes < options.max_body_bytes)
        result = wrong("--max-bodies is less than --max-body");
    if (result == OPTIONS_GO_ON)
        *ret_options = options;
    return result;
}
