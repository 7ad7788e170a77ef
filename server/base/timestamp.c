#include "server/base/timestamp.h"

#include <stdio.h>
#include <time.h>

/* A clock that is set to no time that the store takes would make rows that count as damaged. */
int64_t timestamp_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const int64_t milliseconds = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    if (milliseconds < 0)
        return 0;
    return milliseconds < TIMESTAMP_MAX ? milliseconds : TIMESTAMP_MAX;
}

int64_t timestamp_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

struct timestamp_text timestamp_text(int64_t milliseconds)
{
    char day[40];
    struct tm utc;
    struct timestamp_text text;
    const time_t seconds = milliseconds / 1000;
    gmtime_r(&seconds, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text.text, sizeof text.text, "%s.%03dZ", day, (int)(milliseconds % 1000));
    return text;
}
