/* service.h - the real server, as its users start it: a process of its own with a database of its
 * own, on a free port.
 *
 * TEMPOTROND names the program (default build/tempotrond); the words of TEMPOTROND_WRAPPER are put
 * before it, e.g. valgrind's. Every wait for it ends after SERVICE_SECONDS, multiplied by
 * CK_TIMEOUT_MULTIPLIER. */
#ifndef TESTS_SUPPORT_SERVICE_H
#define TESTS_SUPPORT_SERVICE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

enum { SERVICE_SECONDS = 30, SERVICE_FLAGS = 12, SERVICE_PATH = 128 };

/* The flags of a start: FLAGS("--log", "errors"). */
#define FLAGS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct service {
    pid_t pid; /* 0: it does not run */
    unsigned port;
    char address[64];        /* "127.0.0.1:43210" */
    const char *certificate; /* that clients trust, if it speaks TLS; NULL: plain HTTP */
    const char *flags[SERVICE_FLAGS + 1];
    char directory[64]; /* made for it; holds the database and what it writes to stderr */
    char database[SERVICE_PATH];
    char log[SERVICE_PATH]; /* of its last start */
};

/* Starts a server with further flags (NULL ends them; borrowed), and waits until it is ready. */
void service_start(struct service *service, const char *const *flags);

/* SIGTERM; asserts that it ends with status 0. The database stays. */
void service_stop(struct service *service);
/* SIGKILL. The database stays. */
void service_kill(struct service *service);
/* Starts it again on its database; the port is another. Stops it first if it runs. */
void service_restart(struct service *service);

/* Stops it if it runs, and removes its directory. */
void service_finish(struct service *service);

/* Waits until the process has ended, and asserts that no sanitizer has complained in its log.
 * Returns the status of waitpid(). */
int service_wait(struct service *service);

/* Nothing can be written after the first so many bytes of a file: as if the disk were full. */
void service_limit_files(const struct service *service, rlim_t bytes);

/* What it has written to stderr so far; free(). */
char *service_log(const struct service *service);
/* Waits until it has written this text there: a line comes a moment after what it tells of. */
void service_await_log(const struct service *service, const char *text);

/* How long to wait for whatever must happen, in milliseconds. */
int service_patience(void);

#endif
