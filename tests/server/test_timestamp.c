/* Times as text, and the two clocks. */
#include <check.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "server/base/timestamp.h"
#include "tests/support/suite.h"

/* What a wrong clock says, in place of the system's; tv_nsec -1: the system's. */
static struct timespec wrong_clock = {.tv_nsec = -1};

/* The C library's is not called. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (clock != CLOCK_REALTIME || wrong_clock.tv_nsec < 0)
        return (int)syscall(SYS_clock_gettime, clock, now);
    *now = wrong_clock;
    return 0;
}

START_TEST(a_time_is_written_in_utc_with_milliseconds)
{
    static const struct {
        int64_t milliseconds;
        const char *text;
    } times[] = {{1, "1970-01-01T00:00:00.001Z"},
                 {951827696789, "2000-02-29T12:34:56.789Z"},
                 {1795509000125, "2026-11-24T08:30:00.125Z"},
                 {4102444799999, "2099-12-31T23:59:59.999Z"},
                 {4102444800000, "2100-01-01T00:00:00.000Z"}};
    for (int i = 0; i < ROWS(times); i++)
        ck_assert_str_eq(timestamp_text(times[i].milliseconds).text, times[i].text);
}
END_TEST

START_TEST(the_clocks_tell_the_time)
{
    const int64_t before = (int64_t)time(NULL) * 1000, now = timestamp_now();
    ck_assert_int_ge(now, before);
    ck_assert_int_lt(now, before + 3600 * 1000);
    struct timespec monotonic;
    const int64_t first = timestamp_monotonic_ns();
    clock_gettime(CLOCK_MONOTONIC, &monotonic);
    const int64_t between = monotonic.tv_sec * INT64_C(1000000000) + monotonic.tv_nsec;
    ck_assert_int_le(first, between);
    ck_assert_int_le(between, timestamp_monotonic_ns());
}
END_TEST

START_TEST(a_clock_outside_of_what_the_store_takes_stands_at_its_bounds)
{
    static const struct {
        struct timespec clock;
        const char *text;
    } clocks[] = {{{-35, 331000000}, "1970-01-01T00:00:00.000Z"},
                  {{-1, 999999999}, "1970-01-01T00:00:00.000Z"},
                  {{0, 1000000}, "1970-01-01T00:00:00.001Z"},
                  {{253402300799, 999000000}, "9999-12-31T23:59:59.999Z"},
                  {{253402300800, 0}, "9999-12-31T23:59:59.999Z"}};
    for (int i = 0; i < ROWS(clocks); i++) {
        wrong_clock = clocks[i].clock;
        ck_assert_str_eq(timestamp_text(timestamp_now()).text, clocks[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("timestamp");
    TCase *tests = tcase_create("timestamp");
    tcase_add_test(tests, a_time_is_written_in_utc_with_milliseconds);
    tcase_add_test(tests, the_clocks_tell_the_time);
    tcase_add_test(tests, a_clock_outside_of_what_the_store_takes_stands_at_its_bounds);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
