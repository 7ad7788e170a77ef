/* machine_memory.h - how much memory there is for this process. */
#ifndef SERVER_BASE_MACHINE_MEMORY_H
#define SERVER_BASE_MACHINE_MEMORY_H

#include <stddef.h>

/* The bytes of the machine, or of the tightest limit of the control groups that the process is in,
 * whichever is less. */
size_t machine_memory(void);

/* The tightest limit of control groups, of version 1 or 2; SIZE_MAX: there is none. `groups` is the
 * path of a file like /proc/self/cgroup, `mounts` that of a directory like /sys/fs/cgroup. Groups
 * that can't be seen, as from within a container, count through those above them. */
size_t machine_memory_limit(const char *groups, const char *mounts);

#endif
