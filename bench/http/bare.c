/* The least that a server on libmicrohttpd does: collects the body, answers a constant. What the
 * service is held against. Prints its address as tempotrond does. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct body {
    size_t size;
    size_t capacity;
    char *bytes;
};

static enum MHD_Result collect(struct body *body, const char *piece, size_t size)
{
    if (body->size + size > body->capacity) {
        const size_t capacity = 2 * (body->size + size);
        char *bytes = realloc(body->bytes, capacity);
        if (bytes == NULL)
            return MHD_NO;
        body->bytes = bytes;
        body->capacity = capacity;
    }
    memcpy(body->bytes + body->size, piece, size);
    body->size += size;
    return MHD_YES;
}

static enum MHD_Result answer(struct MHD_Connection *connection)
{
    static char text[] = "{\"model\":\"iris\",\"version\":2,\"label\":[\"setosa\"],"
                         "\"v_max\":[[2.3670213,0.7312186,0]]}\n";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(sizeof text - 1, text, MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "application/json");
    const enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *piece,
                              size_t *size, void **context)
{
    (void)cls, (void)url, (void)method, (void)version;
    struct body *body = *context;
    if (body == NULL) {
        *context = calloc(1, sizeof *body);
        return *context != NULL ? MHD_YES : MHD_NO;
    }
    if (*size == 0)
        return answer(connection);
    const size_t piece_size = *size;
    *size = 0;
    return collect(body, piece, piece_size);
}

static void end(void *cls, struct MHD_Connection *connection, void **context,
                enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection, (void)code;
    struct body *body = *context;
    if (body != NULL)
        free(body->bytes);
    free(body);
}

int main(void)
{
    int number;
    sigset_t signals;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)(cores > 2 ? cores : 2), MHD_OPTION_NOTIFY_COMPLETED,
        end, NULL, MHD_OPTION_END);
    if (daemon == NULL)
        return EXIT_FAILURE;
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    fprintf(stderr, "bare ready on http://127.0.0.1:%u\n", port->port);
    sigwait(&signals, &number);
    MHD_stop_daemon(daemon);
    return EXIT_SUCCESS;
}
