#include "server/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "server/base/machine_memory.h"
#include "server/http/headers.h"
#include "server/http/listener.h"

enum { REASON = 256, NAME = 64 };

#define KIB 1024ull
#define MIB (KIB * KIB)
#define TIB (KIB * KIB * KIB * KIB)
/* Bytes of the largest weights as .npy, whose header is short. */
#define LARGEST_WEIGHTS (LIMIT_WEIGHTS * 4 + MIB)
#define INDENT          "\n                             " /* of the lines of a help */

/* Each option has one place in the options; its kind says how its text is read. */
enum option_kind { TEXT, LISTEN, HOSTS, SIZE, NUMBER, LOG, SWITCH };

/* Sanitizers, and programs that count lines, do at their end what a sandbox does not let them. */
#ifndef TEMPOTROND_SANDBOX
#define TEMPOTROND_SANDBOX "on"
#endif

static const struct option {
    const char *name;   /* of --name and of TEMPOTROND_NAME */
    const char *value;  /* as the help shows it */
    const char *preset; /* the default; NULL: see options_read() */
    const char *help;
    enum option_kind kind;
    size_t offset;
    unsigned long long min, max;
} table[] = {
    {"listen", "ADDRESS:PORT", "127.0.0.1:8080",
     "where to serve. :8080 and [::]:8080 are all addresses," INDENT
     "0.0.0.0:8080 those of IPv4, a name is all its addresses." INDENT "Port 0 picks a free one.",
     LISTEN, offsetof(struct options, http.listen), 0, 0},
    {"hosts", "NAMES", NULL,
     "the hosts that requests may name, without ports, with" INDENT
     "commas or blanks between them; localhost is any name" INDENT
     "of the loopback, * any name (localhost if --listen is" INDENT "on the loopback, else *)",
     HOSTS, offsetof(struct options, http.hosts), 0, 0},
    {"api-key-file", "FILE", NULL,
     "the keys of clients; SIGHUP reads it again. none: all" INDENT
     "who reach the server may ask; the default on the" INDENT "loopback, and refused elsewhere "
     "unless it is said",
     TEXT, offsetof(struct options, http.api_key_file), 0, 0},
    {"tls-cert", "FILE", NULL,
     "speak TLS with this certificate (PEM, and after it those" INDENT
     "that lead to its root); SIGHUP reads it again",
     TEXT, offsetof(struct options, http.tls_certificate), 0, 0},
    {"tls-key", "FILE", NULL, "its key (PEM, without a password)", TEXT,
     offsetof(struct options, http.tls_key), 0, 0},
    {"db", "FILE", "./tempotron.db", "the database, created if absent", TEXT,
     offsetof(struct options, db), 0, 0},
    {"connections", "N", "4096",
     "how many may be open; at the limit the one that was" INDENT
     "idle longest makes room, and if none is idle, a new one" INDENT "is answered 503",
     NUMBER, offsetof(struct options, http.connections), 1, 65536},
    {"connections-per-address", "N", NULL,
     "how many of them one address may have, one of IPv6 by" INDENT
     "its first 64 bits; 0: all, e.g. behind a proxy" INDENT "(a quarter of --connections)",
     NUMBER, offsetof(struct options, http.connections_per_address), 0, 65536},
    {"max-body", "SIZE", NULL,
     "the largest body of one request (65M, or a quarter of" INDENT "--max-bodies)", SIZE,
     offsetof(struct options, http.bodies.max_bytes), KIB, TIB},
    {"max-bodies", "SIZE", NULL,
     "the bodies of all requests in progress, and what" INDENT
     "reading them takes (512M, or a tenth of the memory that" INDENT
     "the machine or the cgroup has)",
     SIZE, offsetof(struct options, http.bodies.memory.max), KIB, TIB},
    {"max-answers", "SIZE", NULL,
     "the answers that clients have not read yet; one that" INDENT
     "does not fit now is answered 503, a larger one 422" INDENT "(256M, or a tenth of the memory)",
     SIZE, offsetof(struct options, http.answers.max), KIB, TIB},
    {"max-dataset", "SIZE", "1G", "the largest file of a dataset, and its array", SIZE,
     offsetof(struct options, http.bodies.max_file_bytes), KIB, TIB},
    {"max-store", "SIZE", "1T",
     "how large the database may grow; beyond it what would" INDENT "grow it is answered 507", SIZE,
     offsetof(struct options, max_store_bytes), KIB, TIB},
    {"model-cache", "SIZE", NULL,
     "the models that are kept in memory (256M, or a tenth of" INDENT "the memory)", SIZE,
     offsetof(struct options, model_cache_bytes), KIB, TIB},
    {"memory", "SIZE", NULL,
     "three quarters for runs, of which one that does not fit" INDENT
     "now waits; a quarter for requests that name datasets," INDENT
     "and for models beside the cache (half of the memory)",
     SIZE, offsetof(struct options, memory_bytes), KIB, TIB},
    {"request-timeout", "SECONDS", "60", "the time in which a whole request must arrive", NUMBER,
     offsetof(struct options, http.request_timeout_seconds), 1, 86400},
    {"drain-timeout", "SECONDS", "25", "how long a stopping server finishes requests", NUMBER,
     offsetof(struct options, drain_timeout_seconds), 0, 86400},
    {"workers", "N", NULL, "models that train at the same time (one a core)", NUMBER,
     offsetof(struct options, workers), 1, 256},
    {"threads", "N", NULL, "threads of one run, and for large requests (one a core)", NUMBER,
     offsetof(struct options, http.pool_threads), 1, 256},
    {"checkpoint-interval", "SECONDS", "30",
     "how long a run trains between two checkpoints, and so" INDENT
     "how much of it a crash undoes, or twice that if" INDENT "checkpoints take long",
     NUMBER, offsetof(struct options, checkpoint_seconds), 1, 3600},
    {"log", "WHAT", "requests",
     "requests: each request and each run; errors: only" INDENT
     "answers of 500 and more, and runs that fail",
     LOG, offsetof(struct options, http.log_requests), 0, 0},
    {"sandbox", "WHAT", TEMPOTROND_SANDBOX,
     "on: give up system calls and files that serving does" INDENT "not need; off: for debuggers",
     SWITCH, offsetof(struct options, sandbox), 0, 0},
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

static void print_help(void)
{
    puts("tempotrond encodes values as spike times, trains tempotrons and serves predictions.\n"
         "\n"
         "usage: tempotrond [--OPTION VALUE]...\n"
         "       tempotrond new-key NAME ROLE [REQUESTS]\n"
         "       tempotrond backup FILE | check [FILE] | restore FILE [--db FILE]\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char flag[NAME];
        snprintf(flag, sizeof flag, "--%s %s", table[i].name, table[i].value);
        printf("  %-26s%s%s", flag, strlen(flag) > 26 ? INDENT : " ", table[i].help);
        if (table[i].preset != NULL)
            printf(" (%s)", table[i].preset);
        putchar('\n');
    }
    puts(
        "  --healthcheck              ask the server at --listen whether it is ready: exit 0" INDENT
        "if it is, else 1\n"
        "  --help, --version\n"
        "  new-key NAME ROLE          make an API key: its line for the key file on stdout," INDENT
        "the key on stderr. ROLE is read-only, read-write or" INDENT
        "admin; REQUESTS a second are not limited if left out\n"
        "  backup FILE                copy the database of --db to a new file, also while a" INDENT
        "server runs\n"
        "  check [FILE]               check a copy, or the database of --db: every page, row" INDENT
        "and value\n"
        "  restore FILE               check a copy and put it in the place of the database," INDENT
        "which is kept; refused while a server runs\n"
        "\n"
        "Defaults are in parentheses. A SIZE is a number of bytes, or has K, M, G or T after\n"
        "it (or KiB, MiB, GiB, TiB): powers of 1024. Each option has an environment variable,\n"
        "e.g. TEMPOTROND_MAX_BODY. The option overrides it; if empty, it counts as unset.");
}

/* Prints one line, whatever the user has written. Returns false. */
__attribute__((format(printf, 1, 2))) static bool wrong(const char *format, ...)
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
    return false;
}

/* --- values: each reader returns false with the reason --- */

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

/* A SIZE or a NUMBER. */
static bool read_amount(const char *text, const struct option *option, void *place, char *reason)
{
    char *end;
    errno = 0;
    const unsigned long long number = strtoull(text, &end, 10);
    const unsigned long long unit = option->kind == SIZE ? unit_of(end) : *end == '\0';
    const bool is_amount = isdigit((unsigned char)*text) && errno == 0 && unit > 0;
    const bool fits = is_amount && number <= option->max / unit && number * unit >= option->min;
    if (fits && option->kind == SIZE)
        *(size_t *)place = (size_t)(number * unit);
    else if (fits)
        *(unsigned *)place = (unsigned)number;
    else if (option->kind == NUMBER)
        snprintf(reason, REASON, "\"%.100s\" is not a whole number from %llu to %llu", text,
                 option->min, option->max);
    else if (!is_amount)
        snprintf(reason, REASON,
                 "\"%.100s\" is not a size, e.g. 64M or 64MiB (K, M, G and T are powers of 1024)",
                 text);
    else
        snprintf(reason, REASON, "\"%.100s\" is not between %lluK and %lluT", text,
                 option->min / KIB, option->max / TIB);
    return fits;
}

/* One of two words. */
static bool read_choice(const char *text, const char *yes, const char *no, bool *place,
                        char *reason)
{
    *place = strcmp(text, yes) == 0;
    if (*place || strcmp(text, no) == 0)
        return true;
    snprintf(reason, REASON, "\"%.100s\" is neither %s nor %s", text, yes, no);
    return false;
}

static bool read_value(const char *text, const struct option *option, void *place, char *reason)
{
    switch (option->kind) {
    case SIZE:
    case NUMBER:
        return read_amount(text, option, place, reason);
    case LOG:
        return read_choice(text, "requests", "errors", place, reason);
    case SWITCH:
        return read_choice(text, "on", "off", place, reason);
    case LISTEN:
        if (listener_read_address(text, place))
            return true;
        snprintf(reason, REASON,
                 "\"%.100s\" is not ADDRESS:PORT, e.g. 127.0.0.1:8080, [::1]:8080, :8080", text);
        return false;
    case HOSTS:
    case TEXT:
        *(const char **)place = text;
        return option->kind == TEXT || headers_check_hosts(text, reason, REASON);
    }
    return false;
}

/* --- where they come from --- */

static bool set_option(struct options *options, const struct option *option, const char *source,
                       const char *text)
{
    char reason[REASON];
    if (*text == '\0')
        return wrong("%s needs a value: %s", source, option->value);
    return read_value(text, option, (char *)options + option->offset, reason) ||
           wrong("%s: %s", source, reason);
}

/* The variable, or the default. */
static bool read_variable(struct options *options, const struct option *option)
{
    char name[NAME];
    snprintf(name, sizeof name, "TEMPOTROND_%s", option->name);
    for (char *at = name; *at != '\0'; at++)
        *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
    const char *text = getenv(name);
    if (text == NULL || *text == '\0')
        text = option->preset;
    return text == NULL || set_option(options, option, name, text);
}

static bool read_variables(struct options *options)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (!read_variable(options, &table[i]))
            return false;
    return true;
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
static bool read_flag(struct options *options, int argc, char **argv, int *index)
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

static bool read_flags(struct options *options, int argc, char **argv, const char **ret_file)
{
    bool may_have_file = ret_file != NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--healthcheck") == 0)
            options->healthcheck = true;
        else if (may_have_file && argv[i][0] != '-' && argv[i][0] != '\0') {
            *ret_file = argv[i];
            may_have_file = false;
        } else if (!read_flag(options, argc, argv, &i))
            return false;
    }
    return true;
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

static size_t least(size_t one, size_t other)
{
    return one < other ? one : other;
}

int options_read(int argc, char **argv, const char **ret_file, struct options *ret_options)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t memory = machine_memory();
    struct options options = {
        .memory_bytes = memory / 2,
        .model_cache_bytes = least(256 * MIB, memory / 10),
        .http.answers.max = least(256 * MIB, memory / 10),
        .http.bodies.memory.max = least(512 * MIB, memory / 10),
        .workers = cores > 0 ? (unsigned)cores : 1,
        .http.pool_threads = cores > 0 ? (unsigned)cores : 1,
        .http.connections_per_address = UINT_MAX,
    };
    if (print_text(argc, argv))
        return EXIT_SUCCESS;
    if (!read_variables(&options) || !read_flags(&options, argc, argv, ret_file))
        return EXIT_FAILURE;
    if (options.http.bodies.max_bytes == 0)
        options.http.bodies.max_bytes = least(LARGEST_WEIGHTS, options.http.bodies.memory.max / 4);
    if (options.http.bodies.memory.max < options.http.bodies.max_bytes) {
        wrong("--max-bodies is less than --max-body");
        return EXIT_FAILURE;
    }
    if ((options.http.tls_certificate == NULL) != (options.http.tls_key == NULL)) {
        wrong("--tls-cert and --tls-key go together");
        return EXIT_FAILURE;
    }
    if (options.http.connections_per_address == UINT_MAX)
        options.http.connections_per_address = (options.http.connections + 3) / 4;
    *ret_options = options;
    return OPTIONS_GO_ON;
}
