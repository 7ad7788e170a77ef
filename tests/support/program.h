/* program.h - tempotrond as a command: started with arguments, and waited for. For a server see
 * service.h. */
#ifndef TESTS_SUPPORT_PROGRAM_H
#define TESTS_SUPPORT_PROGRAM_H

#include <sys/types.h>

enum { PROGRAM_TEXT = 8192 };

struct program_result {
    int status;               /* that it exited with; -1: a signal ended it */
    char out[PROGRAM_TEXT];   /* what it wrote to stdout */
    char error[PROGRAM_TEXT]; /* and to stderr */
};

/* Runs it in a directory (NULL: this one) with these arguments, FLAGS("--help"), and the test's
 * environment. It has to end before patience does. */
struct program_result program_run(const char *directory, const char *const *arguments);

/* Likewise as a user without rights: root could write anywhere. */
struct program_result program_run_without_rights(const char *directory,
                                                 const char *const *arguments);

/* A directory for what programs write. */
extern char program_directory[64];

/* Creates it; empties it, and returns how many files that removed; removes it. */
void program_directory_create(void);
int program_directory_empty(void);
void program_directory_remove(void);

/* Asserts that a program wrote this line to stderr, "tempotrond: LINE", and exited with 1. */
void expect_program_failure(const struct program_result *result, const char *line);

#endif
