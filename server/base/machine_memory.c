#include "server/base/machine_memory.h"

#include <linux/limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number in a file; SIZE_MAX: it has none, as "max" is. */
static size_t read_limit(const char *path)
{
    unsigned long long limit;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return SIZE_MAX;
    const int fields = fscanf(file, "%llu", &limit);
    fclose(file);
    return fields == 1 && limit > 0 ? (size_t)limit : SIZE_MAX;
}

/* The tightest limit of a group and of all above it. `group` is changed. */
static size_t limit_of(const char *mount, char *group, const char *file)
{
    char path[PATH_MAX];
    size_t limit = SIZE_MAX;
    for (;;) {
        const int length = snprintf(path, sizeof path, "%s%s/%s", mount, group, file);
        const size_t of_group = length < PATH_MAX ? read_limit(path) : SIZE_MAX;
        limit = of_group < limit ? of_group : limit;
        char *last = strrchr(group, '/');
        if (last == NULL)
            return limit;
        *last = '\0';
    }
}

/* A line is NUMBER:CONTROLLERS:GROUP; of version 2, the number is 0 and there are no controllers.
 */
static size_t limit_of_line(char *line, const char *mounts)
{
    char mount[PATH_MAX];
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL)
        return SIZE_MAX;
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "0::", 3) == 0)
        return limit_of(mounts, group + 1, "memory.max");
    if (strncmp(controllers, ":memory:", 8) != 0 ||
        snprintf(mount, sizeof mount, "%s/memory", mounts) >= PATH_MAX)
        return SIZE_MAX;
    return limit_of(mount, group + 1, "memory.limit_in_bytes");
}

size_t machine_memory_limit(const char *groups, const char *mounts)
{
    size_t limit = SIZE_MAX, capacity = 0;
    char *line = NULL;
    FILE *file = fopen(groups, "re");
    if (file == NULL)
        return SIZE_MAX;
    while (getline(&line, &capacity, file) > 0) {
        const size_t of_line = limit_of_line(line, mounts);
        limit = of_line < limit ? of_line : limit;
    }
    free(line);
    fclose(file);
    return limit;
}

size_t machine_memory(void)
{
    const size_t limit = machine_memory_limit("/proc/self/cgroup", "/sys/fs/cgroup");
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGE_SIZE);
    if (pages <= 0 || page <= 0)
        return limit;
    const size_t machine = (size_t)pages * (size_t)page;
    return limit < machine ? limit : machine;
}
