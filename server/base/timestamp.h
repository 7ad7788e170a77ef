/* timestamp.h - times as the store keeps them, and as answers write them. */
#ifndef SERVER_BASE_TIMESTAMP_H
#define SERVER_BASE_TIMESTAMP_H

#include <stdint.h>

#define TIMESTAMP_MAX INT64_C(253402300799999) /* the end of the year 9999 */

/* Milliseconds since 1970 UTC, 0 to TIMESTAMP_MAX whatever the clock says. */
int64_t timestamp_now(void);

/* Nanoseconds of the monotonic clock, for durations and deadlines. */
int64_t timestamp_monotonic_ns(void);

/* E.g. "2026-11-24T08:30:00.125Z" (RFC 3339). */
struct timestamp_text {
    char text[64];
};
struct timestamp_text timestamp_text(int64_t milliseconds);

#endif
