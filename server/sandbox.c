#include "server/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
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

enum { FILTER_LINES = 1024 }; /* a call takes two, with a condition nine */

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

/* A filter: a program that begins with the number of the call, and returns what becomes of it.
 * libseccomp knows the numbers. It could make the filter too, but up to 2.5.4 it makes a wrong one
 * if there is no memory for it, in which nothing is allowed, not even to end. */
struct filter {
    unsigned short count;
    struct sock_filter lines[FILTER_LINES];
};

static void add(struct filter *filter, struct sock_filter line)
{
    filter->lines[filter->count++] = line;
}

static void add_load(struct filter *filter, size_t offset)
{
    add(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void add_return(struct filter *filter, uint32_t verdict)
{
    add(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* Passes over `otherwise` lines if what is loaded is not this value. */
static void add_if(struct filter *filter, uint32_t value, uint8_t otherwise)
{
    add(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, otherwise));
}

/* A name that this kind of machine does not have is passed over. */
static void add_call(struct filter *filter, const char *name, uint32_t verdict)
{
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0)
        return;
    add_if(filter, (uint32_t)number, 1);
    add_return(filter, verdict);
}

/* Half of an argument, and what it has to be. */
static void add_half(struct filter *filter, size_t offset, uint32_t mask, uint32_t value,
                     uint8_t otherwise)
{
    add_load(filter, offset);
    add(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    add_if(filter, value, otherwise);
}

/* A little-endian machine has the lower half of an argument first, as all have that it runs on. */
static void add_condition(struct filter *filter, const struct condition *condition)
{
    enum { HALF = 3, ALL = 2 * HALF + 2 }; /* lines */
    const int number = seccomp_syscall_resolve_name(condition->name);
    const size_t low = offsetof(struct seccomp_data, args) + condition->argument * sizeof(uint64_t);
    if (number < 0)
        return;
    add_if(filter, (uint32_t)number, ALL);
    add_half(filter, low, (uint32_t)condition->mask, (uint32_t)condition->value, HALF + 1);
    add_half(filter, low + sizeof(uint32_t), (uint32_t)(condition->mask >> 32),
             (uint32_t)(condition->value >> 32), 1);
    add_return(filter, SECCOMP_RET_ALLOW);
    add_load(filter, offsetof(struct seccomp_data, nr));
}

/* Calls by the numbers of another kind of machine end the process. */
static void add_begin(struct filter *filter)
{
    add_load(filter, offsetof(struct seccomp_data, arch));
    add(filter,
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 1, 0));
    add_return(filter, SECCOMP_RET_KILL_PROCESS);
    add_load(filter, offsetof(struct seccomp_data, nr));
}

/* The threads that there are already get the filter too. */
static bool filter_calls(void)
{
    const struct condition to_itself = {"tgkill", 0, UINT32_MAX, (uint32_t)getpid()};
    struct filter filter = {0};
    _Static_assert(2 * sizeof allowed / sizeof *allowed +
                           9 * sizeof conditions / sizeof *conditions + 16 <
                       FILTER_LINES,
                   "the filter has no room");
    add_begin(&filter);
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        add_call(&filter, allowed[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        add_condition(&filter, &conditions[i]);
    add_condition(&filter, &to_itself); /* abort() */
    /* The flags of clone3() are in memory, where a filter can't look: libc uses clone() instead if
     * the kernel seems not to have it. */
    add_call(&filter, "clone3", SECCOMP_RET_ERRNO | ENOSYS);
    add_return(&filter, SECCOMP_RET_ERRNO | EPERM);
    const struct sock_fprog program = {.len = filter.count, .filter = filter.lines};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0;
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
