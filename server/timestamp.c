#include "timestamp.h"

#include <stdio.h>
#include <time.h>

int64_t timestamp_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void timestamp_write(struct json_writer *writer, int64_t milliseconds)
{
    char text[64], day[40];
    struct tm utc;
    const time_t seconds = milliseconds / 1000;
    if (milliseconds == 0) {
        json_write_null(writer);
        return;
    }
    gmtime_r(&seconds, &utc);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, sizeof text, "%s.%03dZ", day, (int)(milliseconds % 1000));
    json_write_string(writer, text);
}
