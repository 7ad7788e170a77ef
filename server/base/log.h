/* log.h - the log of the process: lines on stderr.
 *
 * A caller never waits for stderr. A line goes into a ring of LOG_BYTES, and one thread writes what
 * the ring holds. While it is not read, and the ring is full, lines are dropped and counted; as
 * soon as there is room again, the count is a line of its own, "time=... dropped=N". Before
 * log_start(), and in programs that do not call it, a caller writes its line itself. */
#ifndef SERVER_BASE_LOG_H
#define SERVER_BASE_LOG_H

#include <stdbool.h>

/* LOG_LINE cuts longer lines. LOG_STOP_MS: how long a stop waits for a reader. */
enum { LOG_BYTES = 1 << 18, LOG_LINE = 2048, LOG_STOP_MS = 1000 };

/* Starts the thread, once in a process. False: it can't be started. */
bool log_start(void);

/* Waits until the lines so far have been written, or for LOG_STOP_MS. */
void log_flush(void);

/* Adds a line: "time=...", a blank and the text, which gets its line's end. */
__attribute__((format(printf, 1, 2))) void log_event(const char *format, ...);

/* Adds a line without a time, for a person who starts the program. */
__attribute__((format(printf, 1, 2))) void log_notice(const char *format, ...);

#endif
