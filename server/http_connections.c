#include "http_connections.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* A client in the middle of its requests has this long to send the next, whose answer tells it to
 * close: a connection closed under its hands would lose a request that is on its way. */
enum { GRACE_NANOSECONDS = 250000000, SECOND_NANOSECONDS = 1000000000 };
enum { LOOK_SECONDS = 1 };

struct connection {
    int socket;
    bool is_busy;             /* with a request */
    struct timespec deadline; /* where it is among the timed */
    struct connection *previous;
    struct connection *next;
};

/* All deadlines are equally far ahead when they are set, so that appending each connection with its
 * new deadline keeps the ring sorted. Sockets are shut down under the lock: an entry leaves the
 * register before its descriptor is closed and given to somebody else. */
struct connections {
    pthread_mutex_t lock;
    pthread_cond_t timed_some; /* there is a first deadline, or it is the end */
    pthread_cond_t closed_all;
    pthread_t thread;
    unsigned seconds;
    bool dozing; /* the thread waits for somebody to be timed */
    bool closing_idle;
    bool ended;
    size_t limit;
    size_t expected;           /* accepted, but not open yet */
    size_t count;              /* open */
    struct connection timed;   /* ring: the client has the word, until a deadline */
    struct connection untimed; /* ring: the server has */
};

static void unlink_connection(struct connection *connection)
{
    connection->previous->next = connection->next;
    connection->next->previous = connection->previous;
}

static void append(struct connection *ring, struct connection *connection)
{
    connection->previous = ring->previous;
    connection->next = ring;
    ring->previous->next = connection;
    ring->previous = connection;
}

static void append_timed(struct connections *connections, struct connection *connection)
{
    clock_gettime(CLOCK_MONOTONIC, &connection->deadline);
    connection->deadline.tv_sec += connections->seconds;
    append(&connections->timed, connection);
    if (connections->dozing)
        pthread_cond_signal(&connections->timed_some);
}

static bool is_past(const struct timespec *deadline, const struct timespec *now)
{
    return now->tv_sec != deadline->tv_sec ? now->tv_sec > deadline->tv_sec
                                           : now->tv_nsec >= deadline->tv_nsec;
}

/* Cuts off those whose time has come. */
static void reap(struct connections *connections, const struct timespec *now)
{
    struct connection *ring = &connections->timed, *first;
    while ((first = ring->next) != ring && is_past(&first->deadline, now)) {
        shutdown(first->socket, SHUT_RDWR);
        unlink_connection(first);
        append(&connections->untimed, first);
    }
}

/* Whether all that the client sent has been read, and no more will come. */
static bool has_gone(const struct connection *connection)
{
    char byte;
    return recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void tell_who_has_gone(struct connections *connections)
{
    struct connection *ring = &connections->timed;
    for (struct connection *at = ring->next; at != ring; at = at->next)
        if (has_gone(at))
            shutdown(at->socket, SHUT_RD);
}

static void *keep_time(void *argument)
{
    struct connections *connections = argument;
    struct timespec now, look = {0};
    pthread_mutex_lock(&connections->lock);
    while (!connections->ended) {
        connections->dozing = connections->timed.next == &connections->timed;
        if (connections->dozing)
            pthread_cond_wait(&connections->timed_some, &connections->lock);
        else
            pthread_cond_timedwait(&connections->timed_some, &connections->lock, &look);
        clock_gettime(CLOCK_MONOTONIC, &now);
        reap(connections, &now);
        if (is_past(&look, &now)) {
            tell_who_has_gone(connections);
            look = now;
            look.tv_sec += LOOK_SECONDS;
        }
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

static void init_conditions(struct connections *connections)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->timed_some, &monotonic);
    pthread_cond_init(&connections->closed_all, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void release(struct connections *connections)
{
    pthread_cond_destroy(&connections->timed_some);
    pthread_cond_destroy(&connections->closed_all);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

struct connections *connections_create(unsigned seconds, unsigned limit)
{
    struct connections *connections = calloc(1, sizeof *connections);
    if (connections == NULL)
        return NULL;
    connections->seconds = seconds;
    connections->limit = limit;
    connections->timed.next = connections->timed.previous = &connections->timed;
    connections->untimed.next = connections->untimed.previous = &connections->untimed;
    pthread_mutex_init(&connections->lock, NULL);
    init_conditions(connections);
    if (pthread_create(&connections->thread, NULL, keep_time, connections) != 0) {
        release(connections);
        return NULL;
    }
    return connections;
}

void connections_destroy(struct connections *connections)
{
    if (connections == NULL)
        return;
    pthread_mutex_lock(&connections->lock);
    connections->ended = true;
    pthread_cond_signal(&connections->timed_some);
    pthread_mutex_unlock(&connections->lock);
    pthread_join(connections->thread, NULL);
    release(connections);
}

bool connections_expect(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    const bool has_room = connections->expected + connections->count < connections->limit;
    if (has_room)
        connections->expected++;
    pthread_mutex_unlock(&connections->lock);
    return has_room;
}

/* The lock is held. */
static void note_closed(struct connections *connections)
{
    if (connections->expected + connections->count == 0)
        pthread_cond_signal(&connections->closed_all);
}

void connections_miss(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    connections->expected--;
    note_closed(connections);
    pthread_mutex_unlock(&connections->lock);
}

struct connection *connections_open(struct connections *connections, int socket)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        connections_miss(connections);
        return NULL;
    }
    connection->socket = socket;
    pthread_mutex_lock(&connections->lock);
    connections->expected--;
    connections->count++;
    append_timed(connections, connection);
    if (connections->closing_idle)
        shutdown(socket, SHUT_RD);
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connections_close(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    unlink_connection(connection);
    connections->count--;
    note_closed(connections);
    pthread_mutex_unlock(&connections->lock);
    free(connection);
}

void connections_request_begun(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    connection->is_busy = true;
    unlink_connection(connection);
    append_timed(connections, connection);
    pthread_mutex_unlock(&connections->lock);
}

void connections_request_received(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    unlink_connection(connection);
    append(&connections->untimed, connection);
    pthread_mutex_unlock(&connections->lock);
}

void connections_request_ended(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    connection->is_busy = false;
    unlink_connection(connection);
    append_timed(connections, connection);
    if (connections->closing_idle)
        shutdown(connection->socket, SHUT_RD);
    pthread_mutex_unlock(&connections->lock);
}

static void close_idle(struct connections *connections)
{
    connections->closing_idle = true;
    struct connection *ring = &connections->timed;
    for (struct connection *at = ring->next; at != ring; at = at->next)
        if (!at->is_busy)
            shutdown(at->socket, SHUT_RD);
}

/* Waits for the last connection's end; the lock is held. */
static void wait_closed(struct connections *connections, const struct timespec *deadline)
{
    int error = 0;
    while (connections->expected + connections->count > 0 && error == 0)
        error = pthread_cond_timedwait(&connections->closed_all, &connections->lock, deadline);
}

bool connections_drain(struct connections *connections, unsigned seconds)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    struct timespec grace = deadline;
    deadline.tv_sec += seconds;
    grace.tv_nsec += GRACE_NANOSECONDS;
    if (grace.tv_nsec >= SECOND_NANOSECONDS) {
        grace.tv_nsec -= SECOND_NANOSECONDS;
        grace.tv_sec++;
    }

    pthread_mutex_lock(&connections->lock);
    wait_closed(connections, &grace);
    close_idle(connections);
    wait_closed(connections, &deadline);
    const bool closed_all = connections->expected + connections->count == 0;
    pthread_mutex_unlock(&connections->lock);
    return closed_all;
}
