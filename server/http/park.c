#include "server/http/park.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* Connections are resumed under the lock: when waiting_room_close() returns, no other thread is
 * about to touch one, and the daemon can be stopped. */
struct waiting_room {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an earlier deadline, or closed */
    pthread_t thread;
    bool closed;
    struct waiting_place *first; /* by deadline */
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Unlinks *link, then resumes: from there on the place may be gone. */
static void release(struct waiting_place **link)
{
    struct waiting_place *place = *link;
    *link = place->next;
    MHD_resume_connection(place->connection);
}

static void release_due(struct waiting_room *room)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    while (room->first != NULL && !is_before(&now, &room->first->deadline))
        release(&room->first);
}

static void *keep_time(void *argument)
{
    struct waiting_room *room = argument;
    pthread_mutex_lock(&room->lock);
    while (!room->closed) {
        if (room->first == NULL) {
            pthread_cond_wait(&room->changed, &room->lock);
        } else {
            const struct timespec deadline = room->first->deadline;
            pthread_cond_timedwait(&room->changed, &room->lock, &deadline);
        }
        release_due(room);
    }
    pthread_mutex_unlock(&room->lock);
    return NULL;
}

struct waiting_room *waiting_room_create(void)
{
    struct waiting_room *room = calloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&room->lock, NULL);
    pthread_cond_init(&room->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&room->thread, NULL, keep_time, room) != 0) {
        pthread_cond_destroy(&room->changed);
        pthread_mutex_destroy(&room->lock);
        free(room);
        return NULL;
    }
    return room;
}

void waiting_room_destroy(struct waiting_room *room)
{
    if (room == NULL)
        return;
    waiting_room_close(room);
    pthread_join(room->thread, NULL);
    pthread_cond_destroy(&room->changed);
    pthread_mutex_destroy(&room->lock);
    free(room);
}

void waiting_room_enter(struct waiting_room *room, struct waiting_place *place,
                        struct MHD_Connection *connection, int64_t key, unsigned seconds)
{
    place->connection = connection;
    place->key = key;
    clock_gettime(CLOCK_MONOTONIC, &place->deadline);
    place->deadline.tv_sec += seconds;

    pthread_mutex_lock(&room->lock);
    struct waiting_place **link = &room->first;
    while (*link != NULL && !is_before(&place->deadline, &(*link)->deadline))
        link = &(*link)->next;
    place->next = *link;
    *link = place;
    if (room->closed)
        release(link);
    else if (room->first == place)
        pthread_cond_signal(&room->changed);
    pthread_mutex_unlock(&room->lock);
}

void waiting_room_wake(struct waiting_room *room, int64_t key)
{
    pthread_mutex_lock(&room->lock);
    struct waiting_place **link = &room->first;
    while (*link != NULL) {
        if ((*link)->key == key)
            release(link);
        else
            link = &(*link)->next;
    }
    pthread_mutex_unlock(&room->lock);
}

void waiting_room_close(struct waiting_room *room)
{
    pthread_mutex_lock(&room->lock);
    room->closed = true;
    while (room->first != NULL)
        release(&room->first);
    pthread_cond_signal(&room->changed);
    pthread_mutex_unlock(&room->lock);
}
