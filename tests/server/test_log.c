/* The log when it is read, late or never. Each test has a process of its own, whose stderr is a
 * pipe. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/base/log.h"
#include "server/base/timestamp.h"
#include "tests/support/suite.h"

enum { MANY = 50000, PIPE = 4096, NS_PER_MS = 1000000 };

/* Makes stderr a pipe as small as can be; returns the end that is read. */
static int make_stderr_a_pipe(void)
{
    int ends[2];
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_ge(fcntl(ends[0], F_SETPIPE_SZ, PIPE), PIPE);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    close(ends[1]);
    return ends[0];
}

struct counts {
    long lines, dropped;
    long last; /* number of the last line */
};

/* Counts lines until line number `last` has come. Their numbers must rise, and what is missing
 * before a line must have been told. */
static void count_until(int end, long last, struct counts *counts)
{
    FILE *file = fdopen(end, "r");
    ck_assert_ptr_nonnull(file);
    char line[LOG_LINE + 2];
    while (counts->last < last && fgets(line, sizeof line, file) != NULL) {
        const char *dropped = strstr(line, " dropped="), *number = strstr(line, " line=");
        ck_assert_msg(strncmp(line, "time=20", 7) == 0 && line[strlen(line) - 1] == '\n', "%s",
                      line);
        if (dropped != NULL) {
            counts->dropped += atol(dropped + strlen(" dropped="));
            continue;
        }
        ck_assert_msg(number != NULL, "%s", line);
        counts->last = atol(number + strlen(" line="));
        counts->lines++;
        ck_assert_int_eq(counts->last, counts->lines + counts->dropped);
    }
}

START_TEST(lines_that_are_not_read_are_dropped_and_counted)
{
    const int end = make_stderr_a_pipe();
    ck_assert(log_start());
    for (long i = 1; i <= MANY; i++)
        log_event("line=%ld", i);
    log_event("line=%d", MANY + 1); /* the ring is full: it is dropped */
    /* After what fits has been read, the count comes; and a line after it. */
    const int64_t begin = timestamp_monotonic_ns();
    log_flush();
    ck_assert_int_ge(timestamp_monotonic_ns() - begin, LOG_STOP_MS / 2 * (int64_t)NS_PER_MS);
    FILE *file = fdopen(dup(end), "r");
    char line[LOG_LINE + 2];
    long lines = 0, dropped = 0;
    while (dropped == 0 && fgets(line, sizeof line, file) != NULL) {
        const char *count = strstr(line, " dropped=");
        if (count != NULL)
            dropped = atol(count + strlen(" dropped="));
        else
            lines++;
    }
    fclose(file);
    ck_assert_int_gt(lines, 0);
    ck_assert_int_eq(lines + dropped, MANY + 1);
    log_event("line=%d", MANY + 2);
    struct counts counts = {.lines = lines, .dropped = dropped, .last = MANY + 1};
    count_until(end, MANY + 2, &counts);
    ck_assert_int_eq(counts.lines, lines + 1);
}
END_TEST

struct reader {
    int end;
    struct counts counts;
};

static void *read_all(void *argument)
{
    struct reader *reader = argument;
    count_until(reader->end, MANY, &reader->counts);
    return NULL;
}

START_TEST(a_flush_waits_until_all_is_written)
{
    pthread_t thread;
    struct reader reader = {.end = make_stderr_a_pipe()};
    ck_assert_int_eq(pthread_create(&thread, NULL, read_all, &reader), 0);
    ck_assert(log_start());
    for (long i = 1; i < MANY; i++)
        log_event("line=%ld", i);
    log_flush();
    log_event("line=%d", MANY); /* there is room for it now */
    log_flush();
    pthread_join(thread, NULL);
    ck_assert_int_eq(reader.counts.last, MANY);
}
END_TEST

START_TEST(a_long_line_is_cut)
{
    char text[2 * LOG_LINE], line[2 * LOG_LINE];
    const int end = make_stderr_a_pipe();
    ck_assert(log_start());
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    log_event("%s", text);
    log_notice("%s", "next");
    log_flush();
    FILE *file = fdopen(end, "r");
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_uint_eq(strlen(line), LOG_LINE);
    ck_assert_ptr_nonnull(fgets(line, sizeof line, file));
    ck_assert_str_eq(line, "next\n");
    fclose(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("log");
    TCase *tests = tcase_create("log");
    tcase_add_test(tests, lines_that_are_not_read_are_dropped_and_counted);
    tcase_add_test(tests, a_flush_waits_until_all_is_written);
    tcase_add_test(tests, a_long_line_is_cut);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
