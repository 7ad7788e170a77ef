#include "server/http/park.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

/* Connections are resumed under the lock: when park_close() returns, no other thread is about to
 * touch one, and the daemon can be stopped. */
struct park {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an earlier deadline, or closed */
    pthread_t thread;
    bool closed;
    struct park_place *first; /* by deadline */
};

static bool is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

/* Unlinks *link, then resumes: after that the place may be gone. */
static void release(struct park_place **link)
{
    struct park_place *place = *link;
    *link = place->next;
    MHD_resume_connection(place->connection);
}

static void release_due(struct park *park)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    while (park->first != NULL && !is_before(&now, &park->first->deadline))
        release(&park->first);
}

static void *keep_time(void *argument)
{
    struct park *park = argument;
    pthread_mutex_lock(&park->lock);
    while (!park->closed) {
        if (park->first == NULL) {
            pthread_cond_wait(&park->changed, &park->lock);
        } else {
            const struct timespec deadline = park->first->deadline;
            pthread_cond_timedwait(&park->changed, &park->lock, &deadline);
        }
        release_due(park);
    }
    pthread_mutex_unlock(&park->lock);
    return NULL;
}

struct park *park_create(void)
{
    struct park *park = calloc(1, sizeof *park);
    if (park == NULL)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&park->lock, NULL);
    pthread_cond_init(&park->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (pthread_create(&park->thread, NULL, keep_time, park) != 0) {
        pthread_cond_destroy(&park->changed);
        pthread_mutex_destroy(&park->lock);
        free(park);
        return NULL;
    }
    return park;
}

void park_destroy(struct park *park)
{
    if (park == NULL)
        return;
    park_close(park);
    pthread_join(park->thread, NULL);
    pthread_cond_destroy(&park->changed);
    pthread_mutex_destroy(&park->lock);
    free(park);
}

void park_enter(struct park *park, struct park_place *place, struct MHD_Connection *connection,
                int64_t event, unsigned seconds)
{
    place->connection = connection;
    place->event = event;
    clock_gettime(CLOCK_MONOTONIC, &place->deadline);
    place->deadline.tv_sec += seconds;

    pthread_mutex_lock(&park->lock);
    struct park_place **link = &park->first;
    while (*link != NULL && !is_before(&place->deadline, &(*link)->deadline))
        link = &(*link)->next;
    place->next = *link;
    *link = place;
    if (park->closed)
        release(link);
    else if (park->first == place)
        pthread_cond_signal(&park->changed);
    pthread_mutex_unlock(&park->lock);
}

void park_wake(struct park *park, int64_t event)
{
    pthread_mutex_lock(&park->lock);
    struct park_place **link = &park->first;
    while (*link != NULL) {
        if ((*link)->event == event)
            release(link);
        else
            link = &(*link)->next;
    }
    pthread_mutex_unlock(&park->lock);
}

void park_close(struct park *park)
{
    pthread_mutex_lock(&park->lock);
    park->closed = true;
    while (park->first != NULL)
        release(&park->first);
    pthread_cond_signal(&park->changed);
    pthread_mutex_unlock(&park->lock);
}
