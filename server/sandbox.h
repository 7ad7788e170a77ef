/* sandbox.h - takes from the process what it does not need to serve, so that a fault in it gives an
 * attacker as little as possible.
 *
 * - A filter of system calls (seccomp): a list of those that serving needs. Others fail with EPERM:
 *   no new program or process, no new socket, no memory that is executable.
 * - Files (Landlock): the directories of a few files, and nothing else of the file system.
 *
 * Neither can be taken back. A kernel without one of them is served without it. */
#ifndef SERVER_SANDBOX_H
#define SERVER_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* Files beside this one may be read, as when it is replaced by another; with `is_written`, they may
 * be made, written and removed too. A link may lead to another directory, which is then allowed
 * likewise. */
struct sandbox_file {
    const char *path; /* NULL: none */
    bool is_written;
};

/* Confines the calling thread and those that it makes from now on. Returns what holds now:
 * "seccomp, landlock", "seccomp", "landlock" or "none". */
const char *sandbox_enter(const struct sandbox_file *files, size_t count);

#endif
