#include "tests/support/program.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/service.h"

char program_directory[64];

enum { WORDS = 32, NOBODY = 65534 };

/* In the child: never returns. */
static void become_program(const char *directory, const char *const *arguments, bool has_rights,
                           int out, int error)
{
    const char *program = getenv("TEMPOTROND");
    const char *words[WORDS];
    char *path = realpath(program != NULL ? program : "build/tempotrond", NULL);
    size_t count = 0;
    words[count++] = path;
    for (; *arguments != NULL && count < WORDS - 1; arguments++)
        words[count++] = *arguments;
    words[count] = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (path != NULL && (directory == NULL || chdir(directory) == 0) &&
        dup2(out, STDOUT_FILENO) >= 0 && dup2(error, STDERR_FILENO) >= 0 &&
        (has_rights || geteuid() != 0 || setuid(NOBODY) == 0))
        execv(path, (char *const *)words);
    _exit(127);
}

static int await_end(pid_t process)
{
    int status;
    const int descriptor = pidfd_open(process, 0);
    ck_assert_int_ge(descriptor, 0);
    struct pollfd event = {.fd = descriptor, .events = POLLIN};
    const int ended = poll(&event, 1, service_patience());
    close(descriptor);
    if (ended != 1)
        kill(process, SIGKILL);
    ck_assert_int_eq(waitpid(process, &status, 0), process);
    ck_assert_msg(ended == 1, "the program did not end");
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void read_text(int file, char *text)
{
    const ssize_t size = pread(file, text, PROGRAM_TEXT - 1, 0);
    ck_assert_int_ge(size, 0);
    text[size] = '\0';
    close(file);
}

static struct program_result run(const char *directory, const char *const *arguments,
                                 bool has_rights)
{
    struct program_result result;
    const int out = memfd_create("out", MFD_CLOEXEC), error = memfd_create("error", MFD_CLOEXEC);
    ck_assert(out >= 0 && error >= 0);
    const pid_t process = fork();
    ck_assert_int_ge(process, 0);
    if (process == 0)
        become_program(directory, arguments, has_rights, out, error);
    result.status = await_end(process);
    read_text(out, result.out);
    read_text(error, result.error);
    return result;
}

struct program_result program_run(const char *directory, const char *const *arguments)
{
    return run(directory, arguments, true);
}

struct program_result program_run_without_rights(const char *directory,
                                                 const char *const *arguments)
{
    return run(directory, arguments, false);
}

void program_directory_create(void)
{
    strcpy(program_directory, "/tmp/tempotrond-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(program_directory));
    ck_assert_int_eq(chmod(program_directory, 0755), 0);
}

int program_directory_empty(void)
{
    char path[512];
    int count = 0;
    DIR *files = opendir(program_directory);
    ck_assert_ptr_nonnull(files);
    for (const struct dirent *file; (file = readdir(files)) != NULL;) {
        if (strcmp(file->d_name, ".") == 0 || strcmp(file->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", program_directory, file->d_name);
        ck_assert_int_eq(remove(path), 0);
        count++;
    }
    closedir(files);
    return count;
}

void program_directory_remove(void)
{
    program_directory_empty();
    ck_assert_int_eq(rmdir(program_directory), 0);
}

void expect_program_failure(const struct program_result *result, const char *line)
{
    char expected[1024];
    snprintf(expected, sizeof expected, "tempotrond: %s\n", line);
    ck_assert_str_eq(result->error, expected);
    ck_assert_str_eq(result->out, "");
    ck_assert_int_eq(result->status, 1);
}
