#include "server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <seccomp.h>

/* --- system calls --- */

/* Those that libc, the libraries and the server itself use after the start. */
static const char *const allowed[] = {
    /* files, which Landlock restricts further */
    "access",
    "close",
    "faccessat",
    "faccessat2",
    "fallocate",
    "fchmod",
    "fchown",
    "fcntl",
    "fcntl64",
    "fdatasync",
    "flock",
    "fstat",
    "fstat64",
    "fstatfs",
    "fstatfs64",
    "fsync",
    "ftruncate",
    "ftruncate64",
    "getcwd",
    "getdents64",
    "lseek",
    "_llseek",
    "lstat",
    "lstat64",
    "newfstatat",
    "fstatat64",
    "open",
    "openat",
    "pread64",
    "preadv",
    "pwrite64",
    "pwritev",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "rename",
    "renameat",
    "renameat2",
    "stat",
    "stat64",
    "statfs",
    "statfs64",
    "statx",
    "unlink",
    "unlinkat",
    "write",
    "writev",
    /* connections that are there, or that a listening socket gives */
    "accept",
    "accept4",
    "getpeername",
    "getsockname",
    "getsockopt",
    "recv",
    "recvfrom",
    "recvmsg",
    "send",
    "sendfile",
    "sendfile64",
    "sendmsg",
    "sendto",
    "setsockopt",
    "shutdown",
    /* waiting */
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "epoll_create1",
    "epoll_ctl",
    "epoll_pwait",
    "epoll_pwait2",
    "epoll_wait",
    "eventfd2",
    "futex",
    "futex_time64",
    "nanosleep",
    "pipe2",
    "poll",
    "ppoll",
    "ppoll_time64",
    "pselect6",
    "pselect6_time64",
    "restart_syscall",
    "select",
    /* memory; executable memory is left out below */
    "brk",
    "madvise",
    "mremap",
    "munmap",
    /* threads */
    "exit",
    "exit_group",
    "get_robust_list",
    "getpriority",
    "gettid",
    "membarrier",
    "rseq",
    "sched_getaffinity",
    "sched_getattr",
    "sched_getparam",
    "sched_getscheduler",
    "sched_get_priority_max",
    "sched_get_priority_min",
    "sched_setattr",
    "sched_setscheduler",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "setpriority",
    /* signals */
    "rt_sigaction",
    "rt_sigpending",
    "rt_sigprocmask",
    "rt_sigreturn",
    "rt_sigtimedwait",
    "rt_sigtimedwait_time64",
    "sigaltstack",
    "sigreturn",
    /* what the process and the machine are */
    "clock_getres",
    "clock_getres_time64",
    "clock_gettime",
    "clock_gettime64",
    "getegid",
    "getegid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getpid",
    "getrandom",
    "getrusage",
    "gettimeofday",
    "getuid",
    "getuid32",
    "sysinfo",
    "time",
    "uname",
};

/* A call that is allowed only if (argument & mask) == value. */
static const struct condition {
    const char *name;
    unsigned argument;
    uint64_t mask, value;
} conditions[] = {
    {"clone", 0, CLONE_THREAD, CLONE_THREAD}, /* no process */
    {"mmap", 2, PROT_EXEC, 0},
    {"mmap2", 2, PROT_EXEC, 0},
    {"mprotect", 2, PROT_EXEC, 0},
    {"ioctl", 1, UINT32_MAX, FIONBIO},
    {"ioctl", 1, UINT32_MAX, FIONREAD},
    {"ioctl", 1, UINT32_MAX, TCGETS}, /* isatty() */
    {"prctl", 0, UINT32_MAX, PR_SET_NAME},
    {"prctl", 0, UINT32_MAX, PR_SET_VMA}, /* malloc() names what it has */
    {"prlimit64", 2, UINT64_MAX, 0},      /* only asks */
};

/* A name that this kind of machine does not have is passed over. */
static bool allow(scmp_filter_ctx filter, const char *name, unsigned count,
                  struct scmp_arg_cmp condition)
{
    const int number = seccomp_syscall_resolve_name(name);
    return number < 0 || seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, count, condition) == 0;
}

/* abort() sends a signal to its own thread. */
static bool allow_abort(scmp_filter_ctx filter)
{
    return allow(filter, "tgkill", 1, SCMP_A0_64(SCMP_CMP_EQ, (uint64_t)getpid()));
}

/* The flags of clone3() are in memory, where a filter can't look: libc uses clone() instead if the
 * kernel seems not to have it. */
static bool hide_clone3(scmp_filter_ctx filter)
{
    const int number = seccomp_syscall_resolve_name("clone3");
    return number < 0 || seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0) == 0;
}

static bool fill_filter(scmp_filter_ctx filter)
{
    bool is_right = true;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        is_right = is_right && allow(filter, allowed[i], 0, (struct scmp_arg_cmp){0});
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        const struct condition *at = &conditions[i];
        is_right =
            is_right && allow(filter, at->name, 1,
                              SCMP_CMP64(at->argument, SCMP_CMP_MASKED_EQ, at->mask, at->value));
    }
    return is_right && allow_abort(filter) && hide_clone3(filter);
}

/* The threads that there are already get the filter too. */
static bool filter_calls(void)
{
    const scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL)
        return false;
    const bool is_on = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1) == 0 &&
                       fill_filter(filter) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    return is_on;
}

/* --- files --- */

/* What later versions of Landlock know, which the headers may not have yet. */
#define FS_TRUNCATE  (1ull << 14) /* version 3 */
#define FS_IOCTL_DEV (1ull << 15) /* version 5 */

#define READS LANDLOCK_ACCESS_FS_READ_FILE
#define WRITES                                                                                     \
    (READS | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG | FS_TRUNCATE)

/* Everything that this version can refuse. */
static uint64_t rights_of(long version)
{
    uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
    if (version >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (version >= 3)
        rights |= FS_TRUNCATE;
    if (version >= 5)
        rights |= FS_IOCTL_DEV;
    return rights;
}

/* A path that is not there allows nothing. */
static void allow_path(int rules, const char *path, uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights,
                                              .parent_fd = open(path, O_PATH | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return;
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
}

static void allow_directory_of(int rules, const char *path, uint64_t rights)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", path);
    allow_path(rules, dirname(copy), rights);
}

static void allow_file(int rules, const struct sandbox_file *file, uint64_t known)
{
    const uint64_t rights = (file->is_written ? WRITES : READS) & known;
    char *place = realpath(file->path, NULL);
    allow_directory_of(rules, file->path, rights);
    if (place != NULL)
        allow_directory_of(rules, place, rights);
    free(place);
}

static bool restrict_files(const struct sandbox_file *files, size_t count)
{
    const long version =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1)
        return false;
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = rights_of(version)};
    const int rules = (int)syscall(SYS_landlock_create_ruleset, &attributes,
                                   sizeof attributes.handled_access_fs, 0);
    if (rules < 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (files[i].path != NULL)
            allow_file(rules, &files[i], attributes.handled_access_fs);
    allow_path(rules, "/dev/urandom", READS); /* SQLite's random numbers */
    const bool is_on = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return is_on;
}

/* --- both --- */

const char *sandbox_enter(const struct sandbox_file *files, size_t count)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return "none";
    const bool has_landlock = restrict_files(files, count);
    const bool has_seccomp = filter_calls();
    if (has_landlock)
        return has_seccomp ? "seccomp, landlock" : "landlock";
    return has_seccomp ? "seccomp" : "none";
}
