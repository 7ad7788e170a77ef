#include "server/http/connections.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/* A client in the middle of its requests has this long to send the next, whose answer tells it to
 * close: closing the connection at once would lose a request that is on its way. A new connection
 * nearly always has a request coming, and may have more time for it. */
enum { GRACE_MS = 250, FIRST_GRACE_MS = 2000 };
/* A new connection at the limit waits that long for room, and an event loop has that long to close
 * the connection that makes room before it is told again. */
enum { ROOM_MS = 1000, SHED_MS = 20 };
enum { SECOND_NANOSECONDS = 1000000000, MS_NANOSECONDS = 1000000 };
enum { LOOK_SECONDS = 1, UNTIMED = 0, CACHE_LINE = 64 };

/* Each request changes its own connection only, so that the event loops don't contend here. */
struct connection {
    alignas(CACHE_LINE) int socket;
    atomic_bool is_busy;      /* with a request */
    atomic_bool is_new;       /* it has had no request yet */
    _Atomic int64_t deadline; /* for what the client has to send, in nanoseconds of the monotonic
                                 clock; UNTIMED: the client has nothing to send */
    struct connection *previous;
    struct connection *next;
};

/* Sockets are shut down under the lock: an entry leaves the register before its descriptor is
 * closed and can be another connection's. */
struct connections {
    pthread_mutex_t lock;
    pthread_cond_t opened_some; /* or it is the end */
    pthread_cond_t changed;     /* a connection has opened or closed */
    pthread_t thread;
    int64_t patience;         /* nanoseconds */
    atomic_bool closing_idle; /* those that have had a request, */
    atomic_bool closing_new;  /* and those that have not */
    bool dozing;              /* the thread waits for a connection */
    bool ended;
    unsigned limit;
    size_t expected;        /* accepted, but not open yet */
    size_t count;           /* open */
    struct connection ring; /* of the open ones */
};

static int64_t nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_NANOSECONDS + now.tv_nsec;
}

static void set_deadline(const struct connections *connections, struct connection *connection)
{
    atomic_store_explicit(&connection->deadline, nanoseconds_now() + connections->patience,
                          memory_order_relaxed);
}

/* Cuts it off if its deadline has passed; not if its request has arrived in the meantime. */
static void reap(struct connection *connection, int64_t now)
{
    int64_t deadline = atomic_load(&connection->deadline);
    if (deadline != UNTIMED && deadline <= now &&
        atomic_compare_exchange_strong(&connection->deadline, &deadline, UNTIMED))
        shutdown(connection->socket, SHUT_RDWR);
}

/* Whether all that the client sent has been read and its side is closed. */
static bool has_gone(const struct connection *connection)
{
    char byte;
    return recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void look_after(struct connections *connections)
{
    const int64_t now = nanoseconds_now();
    struct connection *ring = &connections->ring;
    for (struct connection *at = ring->next; at != ring; at = at->next) {
        reap(at, now);
        if (atomic_load(&at->deadline) != UNTIMED && has_gone(at))
            shutdown(at->socket, SHUT_RD);
    }
}

static void *keep_time(void *argument)
{
    struct connections *connections = argument;
    struct timespec look;
    pthread_mutex_lock(&connections->lock);
    while (!connections->ended) {
        connections->dozing = connections->count == 0;
        if (connections->dozing)
            pthread_cond_wait(&connections->opened_some, &connections->lock);
        clock_gettime(CLOCK_MONOTONIC, &look);
        look.tv_sec += LOOK_SECONDS;
        int error = 0;
        while (!connections->ended && error == 0)
            error = pthread_cond_timedwait(&connections->opened_some, &connections->lock, &look);
        look_after(connections);
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

static void init_conditions(struct connections *connections)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&connections->opened_some, &monotonic);
    pthread_cond_init(&connections->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static void release(struct connections *connections)
{
    pthread_cond_destroy(&connections->opened_some);
    pthread_cond_destroy(&connections->changed);
    pthread_mutex_destroy(&connections->lock);
    free(connections);
}

struct connections *connections_create(unsigned seconds, unsigned limit)
{
    struct connections *connections = aligned_alloc(CACHE_LINE, sizeof *connections);
    if (connections == NULL)
        return NULL;
    *connections = (struct connections){.limit = limit};
    connections->patience = (int64_t)seconds * SECOND_NANOSECONDS;
    connections->ring.next = connections->ring.previous = &connections->ring;
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
    pthread_cond_signal(&connections->opened_some);
    pthread_mutex_unlock(&connections->lock);
    pthread_join(connections->thread, NULL);
    release(connections);
}

unsigned connections_limit(const struct connections *connections)
{
    return connections->limit;
}

/* The lock is held here and in the functions up to connections_expect(). */
static bool is_full(const struct connections *connections)
{
    return connections->expected + connections->count >= connections->limit;
}

static struct timespec after_ms(int64_t ms)
{
    const int64_t time = nanoseconds_now() + ms * MS_NANOSECONDS;
    return (struct timespec){.tv_sec = time / SECOND_NANOSECONDS,
                             .tv_nsec = time % SECOND_NANOSECONDS};
}

/* Closes the connection without a request whose client has been silent for the longest time. A
 * request that has just arrived is still read. False: every connection has a request. */
static bool shed_one(struct connections *connections)
{
    struct connection *oldest = NULL, *ring = &connections->ring;
    int64_t earliest = INT64_MAX;
    for (struct connection *at = ring->next; at != ring; at = at->next) {
        const int64_t deadline = atomic_load(&at->deadline);
        if (!atomic_load(&at->is_busy) && deadline != UNTIMED && deadline < earliest) {
            oldest = at;
            earliest = deadline;
        }
    }
    if (oldest != NULL)
        shutdown(oldest->socket, SHUT_RD);
    return oldest != NULL;
}

/* An event loop may miss the shutdown, as it may miss a client's leaving: it is told again. */
static void make_room(struct connections *connections)
{
    const int64_t end = nanoseconds_now() + ROOM_MS * MS_NANOSECONDS;
    while (is_full(connections) && (shed_one(connections) || connections->expected > 0) &&
           nanoseconds_now() < end) {
        const struct timespec again = after_ms(SHED_MS);
        pthread_cond_timedwait(&connections->changed, &connections->lock, &again);
    }
}

bool connections_expect(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    make_room(connections);
    const bool has_room = !is_full(connections);
    if (has_room)
        connections->expected++;
    pthread_mutex_unlock(&connections->lock);
    return has_room;
}

void connections_miss(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    connections->expected--;
    pthread_cond_broadcast(&connections->changed);
    pthread_mutex_unlock(&connections->lock);
}

/* The lock is held. */
static void append(struct connections *connections, struct connection *connection)
{
    struct connection *ring = &connections->ring;
    connection->previous = ring->previous;
    connection->next = ring;
    ring->previous->next = connection;
    ring->previous = connection;
    connections->count++;
    if (connections->dozing)
        pthread_cond_signal(&connections->opened_some);
}

struct connection *connections_open(struct connections *connections, int socket)
{
    struct connection *connection = aligned_alloc(CACHE_LINE, sizeof *connection);
    if (connection == NULL) {
        connections_miss(connections);
        return NULL;
    }
    *connection = (struct connection){.socket = socket, .is_new = true};
    set_deadline(connections, connection);
    pthread_mutex_lock(&connections->lock);
    connections->expected--;
    append(connections, connection);
    pthread_cond_broadcast(&connections->changed);
    if (atomic_load(&connections->closing_new))
        shutdown(socket, SHUT_RD);
    pthread_mutex_unlock(&connections->lock);
    return connection;
}

void connections_close(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    connection->previous->next = connection->next;
    connection->next->previous = connection->previous;
    connections->count--;
    pthread_cond_broadcast(&connections->changed);
    pthread_mutex_unlock(&connections->lock);
    free(connection);
}

void connections_request_begun(struct connections *connections, struct connection *connection)
{
    atomic_store(&connection->is_busy, true);
    atomic_store(&connection->is_new, false);
    set_deadline(connections, connection);
}

void connections_request_received(struct connection *connection)
{
    atomic_store_explicit(&connection->deadline, UNTIMED, memory_order_relaxed);
}

/* It first marks itself idle and then asks whether idle ones are being closed; close_idle() is
 * called after that mark was set, so that one of the two sees the other. */
void connections_request_ended(struct connections *connections, struct connection *connection)
{
    set_deadline(connections, connection);
    atomic_store(&connection->is_busy, false);
    if (atomic_load(&connections->closing_idle))
        shutdown(connection->socket, SHUT_RD);
}

/* The lock is held, as it is below. */
static void close_idle(struct connections *connections)
{
    struct connection *ring = &connections->ring;
    const bool new_too = atomic_load(&connections->closing_new);
    for (struct connection *at = ring->next; at != ring; at = at->next)
        if (!atomic_load(&at->is_busy) && (new_too || !atomic_load(&at->is_new)))
            shutdown(at->socket, SHUT_RD);
}

static bool is_any_open(const struct connections *connections)
{
    return connections->expected + connections->count > 0;
}

static void wait_closed(struct connections *connections, const struct timespec *deadline)
{
    int error = 0;
    while (is_any_open(connections) && error == 0)
        error = pthread_cond_timedwait(&connections->changed, &connections->lock, deadline);
}

void connections_settle(struct connections *connections)
{
    const struct timespec grace = after_ms(GRACE_MS);
    pthread_mutex_lock(&connections->lock);
    wait_closed(connections, &grace);
    pthread_mutex_unlock(&connections->lock);
}

bool connections_drain(struct connections *connections, unsigned seconds)
{
    const int64_t max_ms = (int64_t)seconds * 1000;
    const struct timespec deadline = after_ms(max_ms);
    const struct timespec first = after_ms(max_ms < FIRST_GRACE_MS ? max_ms : FIRST_GRACE_MS);
    pthread_mutex_lock(&connections->lock);
    atomic_store(&connections->closing_idle, true);
    close_idle(connections);
    wait_closed(connections, &first);
    atomic_store(&connections->closing_new, true);
    close_idle(connections);
    wait_closed(connections, &deadline);
    const bool closed_all = !is_any_open(connections);
    pthread_mutex_unlock(&connections->lock);
    return closed_all;
}
