#include "server/base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/base/timestamp.h"

enum { MS_PER_SECOND = 1000 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;  /* the ring is no longer empty */
    pthread_cond_t emptied; /* it is empty */
    bool started;
    size_t first; /* the place of the oldest byte */
    size_t size;  /* bytes that are not written yet */
    unsigned long long dropped;
    char ring[LOG_BYTES];
} the_log = {.lock = PTHREAD_MUTEX_INITIALIZER,
             .filled = PTHREAD_COND_INITIALIZER,
             .emptied = PTHREAD_COND_INITIALIZER};

/* --- the ring; the lock is held --- */

static bool put(const char *line, size_t size)
{
    if (size > LOG_BYTES - the_log.size)
        return false;
    const size_t place = (the_log.first + the_log.size) % LOG_BYTES;
    const size_t until_end = LOG_BYTES - place;
    const size_t piece = size < until_end ? size : until_end;
    memcpy(the_log.ring + place, line, piece);
    memcpy(the_log.ring, line + piece, size - piece);
    if (the_log.size == 0)
        pthread_cond_signal(&the_log.filled);
    the_log.size += size;
    return true;
}

/* Says how many lines are missing here. False: there is no room yet. */
static bool put_dropped(void)
{
    char line[128];
    if (the_log.dropped == 0)
        return true;
    const int size = snprintf(line, sizeof line, "time=%s dropped=%llu\n",
                              timestamp_text(timestamp_now()).text, the_log.dropped);
    if (!put(line, (size_t)size))
        return false;
    the_log.dropped = 0;
    return true;
}

/* --- the thread that writes --- */

/* What can't be written, e.g. on a full disk, is lost. */
static void write_all(const char *bytes, size_t size)
{
    struct pollfd room = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (size > 0) {
        const ssize_t written = write(STDERR_FILENO, bytes, size);
        if (written < 0 && errno == EAGAIN)
            poll(&room, 1, -1);
        else if (written < 0 && errno != EINTR)
            return;
        else if (written > 0) {
            bytes += written;
            size -= (size_t)written;
        }
    }
}

/* The bytes that are being written stay in the ring until they are. */
static void *write_lines(void *argument)
{
    pthread_mutex_lock(&the_log.lock);
    for (;;) {
        while (the_log.size == 0)
            pthread_cond_wait(&the_log.filled, &the_log.lock);
        const size_t until_end = LOG_BYTES - the_log.first;
        const size_t piece = the_log.size < until_end ? the_log.size : until_end;
        const char *bytes = the_log.ring + the_log.first;
        pthread_mutex_unlock(&the_log.lock);
        write_all(bytes, piece);
        pthread_mutex_lock(&the_log.lock);
        the_log.first = (the_log.first + piece) % LOG_BYTES;
        the_log.size -= piece;
        put_dropped();
        if (the_log.size == 0)
            pthread_cond_broadcast(&the_log.emptied);
    }
    return argument;
}

/* It is never joined: it may be in a write that does not end. */
bool log_start(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, write_lines, NULL) != 0)
        return false;
    pthread_detach(thread);
    pthread_mutex_lock(&the_log.lock);
    the_log.started = true;
    pthread_mutex_unlock(&the_log.lock);
    return true;
}

void log_flush(void)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += LOG_STOP_MS / MS_PER_SECOND;
    pthread_mutex_lock(&the_log.lock);
    while (the_log.size > 0 && pthread_cond_clockwait(&the_log.emptied, &the_log.lock,
                                                      CLOCK_MONOTONIC, &end) != ETIMEDOUT)
        continue;
    pthread_mutex_unlock(&the_log.lock);
}

/* --- lines --- */

/* Ends the line of `size` characters, of which LOG_LINE may have been cut off. */
static void add(char *line, size_t size)
{
    if (size > LOG_LINE - 1)
        size = LOG_LINE - 1;
    line[size++] = '\n';
    pthread_mutex_lock(&the_log.lock);
    const bool started = the_log.started;
    if (started && !(put_dropped() && put(line, size)))
        the_log.dropped++;
    pthread_mutex_unlock(&the_log.lock);
    if (!started)
        fwrite(line, 1, size, stderr);
}

void log_event(const char *format, ...)
{
    char line[LOG_LINE + 1];
    va_list arguments;
    int size = snprintf(line, LOG_LINE, "time=%s ", timestamp_text(timestamp_now()).text);
    va_start(arguments, format);
    size += vsnprintf(line + size, LOG_LINE - (size_t)size, format, arguments);
    va_end(arguments);
    add(line, (size_t)size);
}

void log_notice(const char *format, ...)
{
    char line[LOG_LINE + 1];
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(line, LOG_LINE, format, arguments);
    va_end(arguments);
    add(line, (size_t)size);
}
