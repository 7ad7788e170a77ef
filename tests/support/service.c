/* The server's stderr goes to a file, so that no pipe can fill up; its ready line and its end are
 * awaited as events, by inotify and by a pidfd. */
#include "tests/support/service.h"

#include <check.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORDS = 32 };

int service_patience(void)
{
    const char *multiplier = getenv("CK_TIMEOUT_MULTIPLIER");
    const double factor = multiplier != NULL ? strtod(multiplier, NULL) : 1;
    return (int)(SERVICE_SECONDS * 1000 * (factor > 0 ? factor : 1));
}

char *service_log(const struct service *service)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = fopen(service->log, "r");
    ck_assert_ptr_nonnull(file);
    if (getdelim(&text, &size, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    ck_assert_ptr_nonnull(text);
    return text;
}

void service_await_log(const struct service *service, const char *text)
{
    enum { LOOK_AGAIN_MS = 2 };
    bool is_there = false;
    for (int waited = 0; !is_there; waited += LOOK_AGAIN_MS) {
        ck_assert_msg(waited < service_patience(), "\"%s\" is not in the log", text);
        poll(NULL, 0, LOOK_AGAIN_MS);
        char *log = service_log(service);
        is_there = strstr(log, text) != NULL;
        free(log);
    }
}

/* Fails with the end of the log: libcheck takes messages of a few KiB at most. */
static void fail_with_log(const struct service *service, const char *what, int status)
{
    enum { SHOWN = 3000 };
    char *log = service_log(service);
    const size_t size = strlen(log);
    ck_abort_msg("the server %s (status %#x):\n%s", what, (unsigned)status,
                 size > SHOWN ? log + size - SHOWN : log);
}

/* --- starting --- */

/* In the child: never returns. */
static void become_server(const struct service *service, const char *program)
{
    char words[1024];
    const char *arguments[WORDS + SERVICE_FLAGS + 1];
    size_t count = 0;
    const char *wrapper = getenv("TEMPOTROND_WRAPPER");
    snprintf(words, sizeof words, "%s", wrapper != NULL ? wrapper : "");
    for (char *word = strtok(words, " "); word != NULL && count < WORDS - 5;
         word = strtok(NULL, " "))
        arguments[count++] = word;
    arguments[count++] = program;
    arguments[count++] = "--listen";
    arguments[count++] = "127.0.0.1:0";
    arguments[count++] = "--db";
    arguments[count++] = service->database;
    memcpy(arguments + count, service->flags, sizeof service->flags);

    const int log = open(service->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (log >= 0 && dup2(log, STDERR_FILENO) >= 0)
        execvp(arguments[0], (char *const *)arguments);
    fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    _exit(127);
}

/* Whether the whole ready line is in the log, whose address is taken. */
static bool read_ready_line(struct service *service)
{
    char *log = service_log(service);
    char end = '\0';
    const char *ready = strstr(log, " ready on ");
    const bool is_ready =
        ready != NULL &&
        sscanf(ready, " ready on %*[a-z]://%63[^\n]%c", service->address, &end) == 2 && end == '\n';
    free(log);
    if (!is_ready)
        return false;
    const char *colon = strrchr(service->address, ':');
    ck_assert_ptr_nonnull(colon);
    service->port = (unsigned)strtoul(colon + 1, NULL, 10);
    return true;
}

static void await_ready(struct service *service, int changes)
{
    const int process = pidfd_open(service->pid, 0);
    ck_assert_int_ge(process, 0);
    struct pollfd events[] = {{.fd = changes, .events = POLLIN}, {.fd = process, .events = POLLIN}};
    char news[4096];
    while (!read_ready_line(service)) {
        const int count = poll(events, 2, service_patience());
        if (count <= 0 || events[1].revents != 0)
            fail_with_log(service, "did not become ready", 0);
        ck_assert_int_gt(read(changes, news, sizeof news), 0);
    }
    close(process);
}

static void launch(struct service *service)
{
    const char *program = getenv("TEMPOTROND");
    const int log = open(service->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_ge(log, 0);
    close(log);
    const int changes = inotify_init1(IN_CLOEXEC);
    ck_assert_int_ge(changes, 0);
    ck_assert_int_ge(inotify_add_watch(changes, service->log, IN_MODIFY), 0);
    service->pid = fork();
    ck_assert_int_ge(service->pid, 0);
    if (service->pid == 0)
        become_server(service, program != NULL ? program : "build/tempotrond");
    await_ready(service, changes);
    close(changes);
}

void service_start(struct service *service, const char *const *flags)
{
    *service = (struct service){.directory = "/tmp/tempotrond-test-XXXXXX"};
    ck_assert_int_eq(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
    ck_assert_ptr_nonnull(mkdtemp(service->directory));
    snprintf(service->database, sizeof service->database, "%s/tempotron.db", service->directory);
    snprintf(service->log, sizeof service->log, "%s/log", service->directory);
    for (size_t i = 0; flags != NULL && flags[i] != NULL; i++) {
        ck_assert_uint_lt(i, SERVICE_FLAGS);
        service->flags[i] = flags[i];
    }
    launch(service);
}

void service_limit_files(const struct service *service, rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(prlimit(service->pid, RLIMIT_FSIZE, &limit, NULL), 0);
}

/* --- ending --- */

static void assert_clean(const struct service *service)
{
    static const char *const complaints[] = {"Sanitizer", "runtime error:"};
    char *log = service_log(service);
    for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++) {
        const char *found = strstr(log, complaints[i]);
        ck_assert_msg(found == NULL, "the server wrote:\n%.3000s", found);
    }
    free(log);
}

int service_wait(struct service *service)
{
    int status;
    const int process = pidfd_open(service->pid, 0);
    ck_assert_int_ge(process, 0);
    struct pollfd event = {.fd = process, .events = POLLIN};
    const int ended = poll(&event, 1, service_patience());
    close(process);
    ck_assert_msg(ended == 1, "the server did not end");
    ck_assert_int_eq(waitpid(service->pid, &status, 0), service->pid);
    service->pid = 0;
    assert_clean(service);
    return status;
}

void service_stop(struct service *service)
{
    ck_assert_int_eq(kill(service->pid, SIGTERM), 0);
    const int status = service_wait(service);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_with_log(service, "ended badly", status);
}

void service_kill(struct service *service)
{
    ck_assert_int_eq(kill(service->pid, SIGKILL), 0);
    const int status = service_wait(service);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

void service_restart(struct service *service)
{
    if (service->pid != 0)
        service_stop(service);
    launch(service);
}

void service_finish(struct service *service)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal", ".lock", "-lock"};
    char path[SERVICE_PATH + 16];
    if (service->pid != 0)
        service_stop(service);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        snprintf(path, sizeof path, "%s%s", service->database, suffixes[i]);
        unlink(path);
    }
    unlink(service->log);
    ck_assert_int_eq(rmdir(service->directory), 0);
    curl_global_cleanup();
}
