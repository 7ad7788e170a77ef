#include "server/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/limits.h"

/* Each option has one place in the options, by which its text is read. */
enum option_kind { TEXT, SIZE, NUMBER, LOG };

static const struct option {
    const char *name; /* --name and TEMPOTROND_NAME */
    const char *value;
    const char *help;
    enum option_kind kind;
    size_t offset;
    unsigned long long min, max;
} table[] = {
    {"listen", "ADDR:PORT", "where to serve; port 0 picks a free one (127.0.0.1:8080)", TEXT,
     offsetof(struct options, listen), 0, 0},
    {"hosts", "NAMES",
     "the names that it answers to, e.g. iris.example,localhost (on a loopback address those of "
     "the\n                             loopback, else any)",
     TEXT, offsetof(struct options, hosts), 0, 0},
    {"db", "FILE", "the database, created where it is absent (./tempotron.db)", TEXT,
     offsetof(struct options, db), 0, 0},
    {"connections", "N", "connections that may be open at the same time (4096)", NUMBER,
     offsetof(struct options, connections), 1, 65536},
    {"max-body", "BYTES", "the largest body of one request (64 MiB)", SIZE,
     offsetof(struct options, max_body_bytes), 1024, SIZE_MAX / 4},
    {"max-bodies", "BYTES", "all bodies in flight together (512 MiB)", SIZE,
     offsetof(struct options, max_bodies_bytes), 1024, SIZE_MAX / 4},
    {"max-dataset", "BYTES", "the largest file of a dataset, and its array (1 GiB)", SIZE,
     offsetof(struct options, max_dataset_bytes), 1024, SIZE_MAX / 16},
    {"request-timeout", "SECONDS", "a request must have arrived wholly by then (60)", NUMBER,
     offsetof(struct options, request_timeout_seconds), 1, 86400},
    {"drain-timeout", "SECONDS", "how long a stopping server lets requests end (25)", NUMBER,
     offsetof(struct options, drain_timeout_seconds), 0, 86400},
    {"workers", "N", "models that train at the same time (one a core)", NUMBER,
     offsetof(struct options, workers), 1, 256},
    {"threads", "N", "threads of one run, and for large requests (one a core)", NUMBER,
     offsetof(struct options, threads), 1, 256},
    {"log", "WHAT", "requests: a line for each; errors: for those with a 5xx (requests)", LOG,
     offsetof(struct options, log_requests), 0, 0},
};
enum { OPTION_COUNT = sizeof table / sizeof *table };

static void print_help(void)
{
    puts("tempotrond - encodes values into spike times, trains Tempotrons, serves predictions\n"
         "\n"
         "usage: tempotrond [--OPTION VALUE]...\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char flag[64];
        snprintf(flag, sizeof flag, "--%s %s", table[i].name, table[i].value);
        printf("  %-27s%s\n", flag, table[i].help);
    }
    puts(
        "  --healthcheck              ask the server at --listen whether it is ready: exit 0 or 1\n"
        "  --help, --version\n"
        "\n"
        "Each option has an environment variable too, e.g. TEMPOTROND_MAX_BODY.");
}

static bool parse_number(const char *text, const struct option *option, unsigned long long *number)
{
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    if (!isdigit((unsigned char)*text) || *end != '\0' || errno != 0 || value < option->min ||
        value > option->max)
        return false;
    *number = value;
    return true;
}

static bool set_option(struct options *options, const struct option *option, const char *text)
{
    char *place = (char *)options + option->offset;
    unsigned long long number = 0;
    switch (option->kind) {
    case TEXT:
        memcpy(place, &text, sizeof text);
        return *text != '\0';
    case SIZE:
        if (!parse_number(text, option, &number))
            return false;
        *(size_t *)(void *)place = (size_t)number;
        return true;
    case NUMBER:
        if (!parse_number(text, option, &number))
            return false;
        *(unsigned *)(void *)place = (unsigned)number;
        return true;
    case LOG:
        *(bool *)place = strcmp(text, "requests") == 0;
        return *(bool *)place || strcmp(text, "errors") == 0;
    }
    return false;
}

static enum options_result wrong_value(const char *source, const struct option *option,
                                       const char *text)
{
    fprintf(stderr, "tempotrond: %s: \"%s\" is ", source, text);
    switch (option->kind) {
    case TEXT:
        fprintf(stderr, "no %s", option->value);
        break;
    case SIZE:
    case NUMBER:
        fprintf(stderr, "no whole number from %llu to %llu", option->min, option->max);
        break;
    case LOG:
        fprintf(stderr, "neither requests nor errors");
        break;
    }
    fprintf(stderr, " (see --help)\n");
    return OPTIONS_WRONG;
}

static enum options_result read_environment(struct options *options)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[64];
        snprintf(name, sizeof name, "TEMPOTROND_%s", table[i].name);
        for (char *at = name; *at != '\0'; at++)
            *at = *at == '-' ? '_' : (char)toupper((unsigned char)*at);
        const char *text = getenv(name);
        if (text != NULL && !set_option(options, &table[i], text))
            return wrong_value(name, &table[i], text);
    }
    return OPTIONS_GO_ON;
}

/* --name VALUE or --name=VALUE; moves *index on. */
static enum options_result read_flag(struct options *options, int argc, char **argv, int *index)
{
    const char *flag = argv[*index];
    for (size_t i = 0; strncmp(flag, "--", 2) == 0 && i < OPTION_COUNT; i++) {
        const size_t size = strlen(table[i].name);
        if (strncmp(flag + 2, table[i].name, size) != 0)
            continue;
        const char *text = NULL;
        if (flag[2 + size] == '=')
            text = flag + 3 + size;
        else if (flag[2 + size] == '\0')
            text = *index + 1 < argc ? argv[++*index] : "";
        if (text == NULL)
            continue;
        return set_option(options, &table[i], text) ? OPTIONS_GO_ON
                                                    : wrong_value(flag, &table[i], text);
    }
    fprintf(stderr, "tempotrond: there is no option %s (see --help)\n", flag);
    return OPTIONS_WRONG;
}

static enum options_result read_flags(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return OPTIONS_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            puts("tempotrond " TEMPOTROND_VERSION);
            return OPTIONS_DONE;
        }
        if (strcmp(argv[i], "--healthcheck") == 0) {
            options->healthcheck = true;
            continue;
        }
        if (read_flag(options, argc, argv, &i) == OPTIONS_WRONG)
            return OPTIONS_WRONG;
    }
    return OPTIONS_GO_ON;
}

enum options_result options_read(int argc, char **argv, struct options *ret_options)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .listen = "127.0.0.1:8080",
        .db = "./tempotron.db",
        .max_body_bytes = LIMIT_BODY_DEFAULT,
        .max_bodies_bytes = LIMIT_BODIES_DEFAULT,
        .max_dataset_bytes = LIMIT_DATASET_DEFAULT,
        .request_timeout_seconds = 60,
        .drain_timeout_seconds = 25,
        .workers = cores > 0 ? (unsigned)cores : 1,
        .threads = cores > 0 ? (unsigned)cores : 1,
        .log_requests = true,
    };
    enum options_result result = read_environment(&options);
    if (result == OPTIONS_GO_ON)
        result = read_flags(&options, argc, argv);
    if (result == OPTIONS_GO_ON && options.max_bodies_bytes < options.max_body_bytes) {
        fprintf(stderr, "tempotrond: --max-bodies must be at least --max-body\n");
        result = OPTIONS_WRONG;
    }
    if (result == OPTIONS_GO_ON)
        *ret_options = options;
    return result;
}
