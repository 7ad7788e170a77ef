/* The limits of control groups, in files like those of the kernel. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/machine_memory.h"
#include "tests/support/suite.h"

static char directory[64];
static const char *const folders[] = {"a", "a/b", "memory", "memory/a", "memory/a/b"};
static const char *const files[] = {"groups", "a/memory.max", "a/b/memory.max",
                                    "memory/memory.limit_in_bytes",
                                    "memory/a/memory.limit_in_bytes"};

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(path_of(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void set_up(void)
{
    snprintf(directory, sizeof directory, "/tmp/tempotrond-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    for (int i = 0; i < ROWS(folders); i++)
        ck_assert_int_eq(mkdir(path_of(folders[i]), 0700), 0);
}

static void tear_down(void)
{
    for (int i = 0; i < ROWS(files); i++)
        unlink(path_of(files[i]));
    for (int i = ROWS(folders); i-- > 0;)
        rmdir(path_of(folders[i]));
    rmdir(directory);
}

static size_t limit(void)
{
    char groups[128];
    snprintf(groups, sizeof groups, "%s", path_of("groups"));
    return machine_memory_limit(groups, directory);
}

START_TEST(the_tightest_group_above_the_process_counts)
{
    write_file("groups", "0::/a/b\n");
    ck_assert_uint_eq(limit(), SIZE_MAX);
    write_file("a/memory.max", "5000\n");
    write_file("a/b/memory.max", "max\n");
    ck_assert_uint_eq(limit(), 5000);
    write_file("a/b/memory.max", "4000\n");
    ck_assert_uint_eq(limit(), 4000);
    write_file("a/b/memory.max", "6000\n");
    ck_assert_uint_eq(limit(), 5000);
}
END_TEST

/* The group that a container is told of lies where it can't see. */
START_TEST(version_1_has_groups_of_its_own_for_memory)
{
    write_file("groups", "9:cpu:/x\n4:memory:/a/unseen\n0::/\n");
    write_file("memory/memory.limit_in_bytes", "9223372036854771712\n");
    ck_assert_uint_eq(limit(), 9223372036854771712u);
    write_file("memory/a/memory.limit_in_bytes", "7000\n");
    ck_assert_uint_eq(limit(), 7000);
}
END_TEST

START_TEST(this_machine_has_memory)
{
    const size_t memory = machine_memory();
    ck_assert_uint_gt(memory, 1 << 20);
    ck_assert_uint_lt(memory, SIZE_MAX / 2);
    ck_assert_uint_eq(machine_memory_limit("/nowhere", directory), SIZE_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("machine_memory");
    TCase *tests = suite_case(suite, "machine_memory", set_up, tear_down, 10);
    tcase_add_test(tests, the_tightest_group_above_the_process_counts);
    tcase_add_test(tests, version_1_has_groups_of_its_own_for_memory);
    tcase_add_test(tests, this_machine_has_memory);
    return suite_run(suite);
}
