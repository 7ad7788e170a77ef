#include "tests/support/descriptors.h"

#include <check.h>
#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Calls see(link, path, context) for each descriptor's link in /proc, and for what it refers to,
 * e.g. "socket:[4711]". */
static void each(const struct service *service,
                 void (*see)(const char *link, const char *path, void *context), void *context)
{
    char path[64], link[600], target[256];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)service->pid);
    DIR *files = opendir(path);
    ck_assert_ptr_nonnull(files);
    for (const struct dirent *file; (file = readdir(files)) != NULL;) {
        snprintf(link, sizeof link, "%s/%s", path, file->d_name);
        const ssize_t size = readlink(link, target, sizeof target - 1);
        if (size < 0)
            continue; /* it is closed already */
        target[size] = '\0';
        see(link, target, context);
    }
    closedir(files);
}

static bool is_nameless(const char *path)
{
    return strstr(path, " (deleted)") != NULL;
}

static void count(const char *link, const char *path, void *context)
{
    (void)link;
    struct descriptors *counts = context;
    counts->sockets += strncmp(path, "socket:", 7) == 0;
    counts->nameless += is_nameless(path);
}

struct descriptors descriptors_count(const struct service *service)
{
    struct descriptors counts = {0};
    each(service, count, &counts);
    return counts;
}

enum { LOOK_AGAIN_MS = 5 };

void descriptors_await(const struct service *service, const struct descriptors *expected)
{
    for (int waited = 0;; waited += LOOK_AGAIN_MS) {
        const struct descriptors now = descriptors_count(service);
        if (now.sockets == expected->sockets && now.nameless == expected->nameless)
            return;
        ck_assert_msg(waited < service_patience(), "%d sockets and %d files instead of %d and %d",
                      now.sockets, now.nameless, expected->sockets, expected->nameless);
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

struct sum {
    const char *directory;
    long long bytes;
};

static void add_bytes(const char *link, const char *path, void *context)
{
    struct stat file;
    struct sum *sum = context;
    if (is_nameless(path) && strstr(path, sum->directory) != NULL && stat(link, &file) == 0)
        sum->bytes += file.st_size;
}

void descriptors_await_bytes(const struct service *service, long long bytes)
{
    for (int waited = 0;; waited += LOOK_AGAIN_MS) {
        struct sum now = {service->directory, 0};
        each(service, add_bytes, &now);
        if (now.bytes == bytes)
            return;
        ck_assert_msg(waited < service_patience(), "%lld bytes instead of %lld", now.bytes, bytes);
        poll(NULL, 0, LOOK_AGAIN_MS);
    }
}

struct search {
    const char *part;
    bool found;
};

static void look(const char *link, const char *path, void *context)
{
    (void)link;
    struct search *search = context;
    search->found |= strstr(path, search->part) != NULL;
}

bool descriptors_have(const struct service *service, const char *part)
{
    struct search search = {part, false};
    each(service, look, &search);
    return search.found;
}
