#include "server/http/connections.h"

#include <linux/tcp.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "server/base/limits.h"
#include "server/base/log.h"
#include "server/base/timestamp.h"

#define MS     INT64_C(1000000) /* nanoseconds */
#define SECOND (1000 * MS)

/* A client in the middle of its requests has this long to send the next, whose answer tells it to
 * close: closing the connection at once would lose a request that is on its way. A new connection
 * nearly always has a request coming, and may have more time for it. */
#define GRACE       (250 * MS)
#define FIRST_GRACE (2 * SECOND)
/* A new connection at the limit waits that long for room, and an event loop has that long to close
 * the connection that makes room before it is told again. */
#define ROOM_WAIT  SECOND
#define SHED_AGAIN (20 * MS)

#define LOOK_AGAIN SECOND

/* The share of the places that is kept for addresses with few connections, and the fewest such
 * places. */
enum { RESERVED_SHARE = 16, RESERVED_MIN = 2, FEW = 2 };

/* Bytes of the largest window that a client's kernel opens by itself, with Linux's tcp_rmem. */
#define CLIENT_BUFFER UINT64_C(16777216)

#define NOT_LOOKED_AT 1 /* an answer has begun */

/* States of a connection: with a request, between two, before its first. */
enum { BUSY, IDLE, NEW };

/* The numbers that tell addresses apart. Addresses that share one, by chance, share its limit. */
enum { ADDRESSES = 1 << 14 };

/* Sockets are shut down, and connections resumed, under the lock: an entry leaves the register
 * before its descriptor is closed and can be another connection's; and when connections_settle()
 * returns, no thread is about to resume one, so that the daemon can be stopped. */
struct connections {
    pthread_mutex_t lock;
    pthread_cond_t opened_some; /* or it is the end */
    pthread_cond_t changed;     /* a connection has opened or closed */
    pthread_t thread;
    int64_t patience;   /* nanoseconds */
    atomic_int closing; /* connections up to this state are closed; BUSY: none are */
    bool settles;       /* none waits */
    bool dozes;         /* the thread waits for a connection */
    bool ended;
    bool refuses; /* the last connection was refused, and the log says so */
    unsigned limit;
    unsigned reserved; /* of these, for addresses that have fewer than FEW */
    unsigned per_address;
    unsigned places; /* that are taken */
    unsigned by_address[ADDRESSES];
    uint64_t seed;          /* of the numbers of addresses */
    struct connection head; /* of the list of the open ones */
};

static void set_deadline(const struct connections *connections, struct connection *connection)
{
    atomic_store_explicit(&connection->deadline, timestamp_monotonic_ns() + connections->patience,
                          memory_order_relaxed);
}

/* The lock is held here, and in all static functions below. Returns whether the condition came
 * before the time. */
static bool await(struct connections *connections, pthread_cond_t *condition, int64_t time)
{
    const struct timespec end = {.tv_sec = time / SECOND, .tv_nsec = time % SECOND};
    return pthread_cond_clockwait(condition, &connections->lock, CLOCK_MONOTONIC, &end) == 0;
}

/* --- the thread that looks after the connections --- */

bool connections_has_left(const struct connection *connection)
{
    struct pollfd event = {.fd = connection->socket, .events = POLLRDHUP};
    return poll(&event, 1, 0) == 1;
}

static void resume(struct connection *connection)
{
    connection->wait_end = 0;
    MHD_resume_connection(connection->handle);
}

/* Whether the wait is over, or its client has left: it is then answered as at the end of the wait,
 * as a client that closed only its own side may still read. */
static bool waits_no_longer(const struct connection *connection, int64_t time)
{
    return connection->wait_end != 0 &&
           (connection->wait_end <= time ||
            (connection->leave_look <= time && connections_has_left(connection)));
}

/* Reads how many bytes of all answers the client's side has acknowledged. Returns how many more the
 * client may have read: a kernel whose buffer was full makes that known only when there is room
 * again for a sixteenth of the buffer (an eighth has been seen), or for a segment or two. The
 * buffer holds at most what was acknowledged. */
static uint64_t acknowledged(const struct connection *connection, uint64_t *ret_bytes)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    getsockopt(connection->socket, IPPROTO_TCP, TCP_INFO, &info, &size);
    *ret_bytes = info.tcpi_bytes_acked;
    const uint64_t buffer = *ret_bytes < CLIENT_BUFFER ? *ret_bytes : CLIENT_BUFFER;
    return buffer / 8 + 2 * (uint64_t)info.tcpi_snd_mss;
}

/* Whether an answer is being sent, and its client has read too little of it for a while: for as
 * long as at LIMIT_READ_RATE it would have read what need not show, and then for the time that it
 * has. */
static bool reads_too_little(const struct connections *connections, struct connection *connection,
                             int64_t time)
{
    int64_t look = atomic_load(&connection->answer_look);
    if (look == 0 || time < look)
        return false;
    const uint64_t before = connection->answer_read;
    const uint64_t hidden = acknowledged(connection, &connection->answer_read);
    if (look != NOT_LOOKED_AT && connection->answer_read - before <
                                     (uint64_t)(connections->patience / SECOND) * LIMIT_READ_RATE)
        return true;
    /* Unless the answer has ended meanwhile. */
    const int64_t next =
        time + connections->patience + (int64_t)(hidden / LIMIT_READ_RATE) * SECOND;
    atomic_compare_exchange_strong(&connection->answer_look, &look, next);
    return false;
}

/* When the connection is closed, the kernel drops what the client has not read. */
static void discard_unread(const struct connection *connection)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(connection->socket, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

/* Returns when to look again: no wait is shorter than the time between two looks. */
static int64_t look_after(struct connections *connections)
{
    const int64_t time = timestamp_monotonic_ns();
    int64_t next = time + LOOK_AGAIN;
    for (struct connection *at = connections->head.next; at != NULL; at = at->next) {
        const int64_t deadline = atomic_load(&at->deadline);
        const bool is_slow = reads_too_little(connections, at, time);
        if (is_slow)
            discard_unread(at);
        if (is_slow || (deadline != 0 && deadline <= time))
            shutdown(at->socket, SHUT_RDWR);
        else if (deadline != 0 && connections_has_left(at))
            shutdown(at->socket, SHUT_RD);
        if (waits_no_longer(at, time))
            resume(at);
        if (at->wait_end != 0 && at->wait_end < next)
            next = at->wait_end;
    }
    return next;
}

static void *keep_time(void *argument)
{
    struct connections *connections = argument;
    pthread_mutex_lock(&connections->lock);
    while (!connections->ended) {
        const int64_t next = look_after(connections);
        connections->dozes = connections->head.next == NULL;
        if (connections->dozes)
            pthread_cond_wait(&connections->opened_some, &connections->lock);
        else
            await(connections, &connections->opened_some, next);
    }
    pthread_mutex_unlock(&connections->lock);
    return NULL;
}

struct connections *connections_create(unsigned limit, unsigned per_address, unsigned seconds)
{
    struct connections *connections = malloc(sizeof *connections);
    if (connections == NULL)
        return NULL;
    *connections = (struct connections){
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .opened_some = PTHREAD_COND_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
        .patience = seconds * SECOND,
        .limit = limit,
        .reserved = limit / RESERVED_SHARE > RESERVED_MIN ? limit / RESERVED_SHARE : RESERVED_MIN,
        .per_address = per_address > 0 ? per_address : limit};
    if (getrandom(&connections->seed, sizeof connections->seed, GRND_NONBLOCK) < 0)
        connections->seed = (uint64_t)timestamp_monotonic_ns();
    if (pthread_create(&connections->thread, NULL, keep_time, connections) == 0)
        return connections;
    free(connections);
    return NULL;
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
    free(connections);
}

/* --- places --- */

/* A client of IPv6 has 64 bits of addresses; one of IPv4 may be shown as one of IPv6. */
static unsigned number_address(const struct connections *connections,
                               const struct sockaddr *address)
{
    uint64_t bits = 0;
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    if (address->sa_family == AF_INET)
        bits = ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr;
    else if (IN6_IS_ADDR_V4MAPPED(v6))
        memcpy(&bits, v6->s6_addr + 12, 4);
    else
        memcpy(&bits, v6->s6_addr, 8);
    bits = (bits ^ connections->seed) * 0x9e3779b97f4a7c15u;
    bits = (bits ^ (bits >> 32)) * 0xbf58476d1ce4e5b9u;
    return (unsigned)(bits >> 40) % ADDRESSES;
}

static bool is_full(const struct connections *connections, unsigned address)
{
    const unsigned own = connections->by_address[address];
    const unsigned kept = own < FEW ? 0 : connections->reserved;
    return connections->places + kept >= connections->limit || own >= connections->per_address;
}

/* Closes the connection without a request whose client has been silent for the longest time; if the
 * address is at its limit, one of that address. A request that has just arrived is still read.
 * False: there is none, and none is about to open. */
static bool shed_one(const struct connections *connections, unsigned address)
{
    const bool any = connections->by_address[address] < connections->per_address;
    const unsigned places = any ? connections->places : connections->by_address[address];
    const struct connection *oldest = NULL;
    int64_t earliest = INT64_MAX;
    unsigned open = 0;
    for (const struct connection *at = connections->head.next; at != NULL; at = at->next) {
        if (!any && at->address != address)
            continue;
        open++;
        const int64_t deadline = atomic_load(&at->deadline);
        if (atomic_load(&at->state) != BUSY && deadline != 0 && deadline < earliest) {
            oldest = at;
            earliest = deadline;
        }
    }
    if (oldest != NULL)
        shutdown(oldest->socket, SHUT_RD);
    return oldest != NULL || open < places;
}

/* An event loop may miss the shutdown, as it may miss a client's leaving: it is told again. */
static void make_room(struct connections *connections, unsigned address)
{
    const int64_t end = timestamp_monotonic_ns() + ROOM_WAIT;
    while (is_full(connections, address) && shed_one(connections, address) &&
           timestamp_monotonic_ns() < end)
        await(connections, &connections->changed, timestamp_monotonic_ns() + SHED_AGAIN);
}

bool connections_take_place(struct connections *connections, const struct sockaddr *address)
{
    const unsigned number = number_address(connections, address);
    pthread_mutex_lock(&connections->lock);
    make_room(connections, number);
    const bool has_room = !is_full(connections, number);
    if (!has_room && !connections->refuses)
        log_event("connections=%u refusing=new (%s)", connections->places,
                  connections->by_address[number] < connections->per_address
                      ? "--connections"
                      : "--connections-per-address");
    connections->refuses = !has_room;
    connections->places += has_room;
    connections->by_address[number] += has_room;
    pthread_mutex_unlock(&connections->lock);
    return has_room;
}

static void give_back(struct connections *connections, unsigned address)
{
    connections->places--;
    connections->by_address[address]--;
    pthread_cond_broadcast(&connections->changed);
}

void connections_give_back_place(struct connections *connections, const struct sockaddr *address)
{
    pthread_mutex_lock(&connections->lock);
    give_back(connections, number_address(connections, address));
    pthread_mutex_unlock(&connections->lock);
}

/* --- connections and their requests --- */

static void close_if_closing(const struct connections *connections, struct connection *connection)
{
    const int state = atomic_load(&connection->state);
    if (state != BUSY && state <= atomic_load(&connections->closing))
        shutdown(connection->socket, SHUT_RD);
}

void connections_open(struct connections *connections, struct connection *connection,
                      struct MHD_Connection *handle)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    const int socket = info->connect_fd;
    info = MHD_get_connection_info(handle, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    *connection = (struct connection){.handle = handle,
                                      .socket = socket,
                                      .address = number_address(connections, info->client_addr),
                                      .state = NEW};
    set_deadline(connections, connection);
    pthread_mutex_lock(&connections->lock);
    insque(connection, &connections->head);
    pthread_cond_broadcast(&connections->changed);
    if (connections->dozes)
        pthread_cond_signal(&connections->opened_some);
    close_if_closing(connections, connection);
    pthread_mutex_unlock(&connections->lock);
}

void connections_close(struct connections *connections, struct connection *connection)
{
    pthread_mutex_lock(&connections->lock);
    remque(connection);
    give_back(connections, connection->address);
    pthread_mutex_unlock(&connections->lock);
}

void connections_request_begun(struct connections *connections, struct connection *connection)
{
    atomic_store(&connection->state, BUSY);
    set_deadline(connections, connection);
}

void connections_request_received(struct connection *connection)
{
    atomic_store_explicit(&connection->deadline, 0, memory_order_relaxed);
}

void connections_answer_begun(struct connection *connection)
{
    atomic_store(&connection->answer_look, NOT_LOOKED_AT);
}

/* It first marks itself idle and then asks whether idle ones are being closed; close_up_to() looks
 * at it after the latter was set, so that one of the two sees the other. */
void connections_request_ended(struct connections *connections, struct connection *connection)
{
    atomic_store(&connection->answer_look, 0);
    set_deadline(connections, connection);
    atomic_store(&connection->state, IDLE);
    close_if_closing(connections, connection);
}

void connections_wait(struct connections *connections, struct connection *connection, int64_t event,
                      unsigned seconds)
{
    const int64_t time = timestamp_monotonic_ns();
    pthread_mutex_lock(&connections->lock);
    connection->event = event;
    connection->wait_end = time + seconds * SECOND;
    connection->leave_look = time + CONNECTIONS_LEFT_WAIT;
    if (connections->settles)
        resume(connection);
    pthread_mutex_unlock(&connections->lock);
}

void connections_wake(struct connections *connections, int64_t event)
{
    pthread_mutex_lock(&connections->lock);
    for (struct connection *at = connections->head.next; at != NULL; at = at->next)
        if (at->wait_end != 0 && at->event == event)
            resume(at);
    pthread_mutex_unlock(&connections->lock);
}

/* --- the end --- */

static void await_closed(struct connections *connections, int64_t end)
{
    while (connections->places > 0 && await(connections, &connections->changed, end))
        continue;
}

void connections_settle(struct connections *connections)
{
    pthread_mutex_lock(&connections->lock);
    connections->settles = true;
    for (struct connection *at = connections->head.next; at != NULL; at = at->next)
        if (at->wait_end != 0)
            resume(at);
    await_closed(connections, timestamp_monotonic_ns() + GRACE);
    pthread_mutex_unlock(&connections->lock);
}

static void close_up_to(struct connections *connections, int state)
{
    atomic_store(&connections->closing, state);
    for (struct connection *at = connections->head.next; at != NULL; at = at->next)
        close_if_closing(connections, at);
}

void connections_drain(struct connections *connections, unsigned seconds)
{
    const int64_t begin = timestamp_monotonic_ns();
    const int64_t first = begin + FIRST_GRACE, end = begin + seconds * SECOND;
    pthread_mutex_lock(&connections->lock);
    close_up_to(connections, IDLE);
    await_closed(connections, first < end ? first : end);
    close_up_to(connections, NEW);
    await_closed(connections, end);
    pthread_mutex_unlock(&connections->lock);
}
