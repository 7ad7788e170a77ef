/* http.c - starts and stops the server.
 *
 * Stopping: accept nobody new, let the parked answer now, close who has nothing to ask, and wait
 * for the others until the deadline. Only then is the library stopped; by then no connection is
 * suspended, which it would not survive. */
#include "server/http/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/base/limits.h"
#include "server/http/accept.h"
#include "server/http/exchange.h"
#include "server/http/internal.h"
#include "server/http/listen.h"

enum { CONNECTIONS_MOST = 4096, OTHER_FILES = 128, LOOPS_PER_CORE = 2, CORES_LEAST = 2 };
enum { FILES_AT_ONCE = 4 }; /* of the largest size */

/* Two a core: a client on the same machine is given its fair share of the cores, which is more than
 * it needs, and so interrupts a lone event loop at almost every answer; two together it lets go on,
 * and a fifth more is served. */
static unsigned loop_count(const struct http_options *options)
{
    if (options->threads > 0)
        return options->threads;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return LOOPS_PER_CORE * (cores > CORES_LEAST ? (unsigned)cores : CORES_LEAST);
}

/* As many connections as there can be descriptors for, once their limit is raised. */
static unsigned connection_limit(void)
{
    const rlim_t wanted = CONNECTIONS_MOST + OTHER_FILES;
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return OTHER_FILES;
    if (files.rlim_cur < wanted) {
        files.rlim_cur = files.rlim_max < wanted ? files.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (files.rlim_cur >= wanted)
        return CONNECTIONS_MOST;
    return files.rlim_cur > 2 * OTHER_FILES ? (unsigned)files.rlim_cur - OTHER_FILES : OTHER_FILES;
}

static struct MHD_Daemon *start_daemon(struct http_server *server)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0,
        NULL, NULL, http_exchange_handle, server, MHD_OPTION_THREAD_POOL_SIZE,
        loop_count(&server->options), MHD_OPTION_CONNECTION_LIMIT, connection_limit(),
        MHD_OPTION_CONNECTION_TIMEOUT, server->options.request_timeout_seconds,
        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_NOTIFY_CONNECTION, http_exchange_connection,
        server, MHD_OPTION_URI_LOG_CALLBACK, http_exchange_begin, server,
        MHD_OPTION_NOTIFY_COMPLETED, http_exchange_end, server, MHD_OPTION_END);
}

void http_server_destroy(struct http_server *server)
{
    if (server == NULL)
        return;
    atomic_store(&server->stopping, true);
    thread_pool_close(
        server->pool); /* resumes what it has, as the daemon can't be stopped before */
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    thread_pool_destroy(server->pool);
    waiting_room_destroy(server->room);
    connections_destroy(server->connections);
    if (server->socket >= 0)
        close(server->socket);
    free(server);
}

bool http_server_start(const struct http_options *options, struct service *service,
                       struct http_server **ret_server, char *error, size_t error_size)
{
    struct http_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(error, error_size, "there is no memory for the server");
        return false;
    }
    server->options = *options;
    server->service = service;
    bool on_loopback;
    server->socket = http_listen(options->listen, error, error_size, server->address,
                                 sizeof server->address, &on_loopback);
    if (server->socket < 0) {
        http_server_destroy(server);
        return false;
    }
    if (options->hosts == NULL)
        server->options.hosts = on_loopback ? "localhost" : "*";
    server->body_limits = (struct http_body_limits){
        .most_bytes = options->max_body_bytes,
        .most_all_bytes = options->max_bodies_bytes,
        .all_bytes = &server->bodies_bytes,
        .most_file_bytes = options->max_file_bytes,
        .most_all_file_bytes = FILES_AT_ONCE * options->max_file_bytes,
        .all_file_bytes = &server->body_files_bytes,
        .directory = server->directory,
    };
    snprintf(server->directory, sizeof server->directory, "%s", options->directory);
    if (getrandom(&server->first_request, sizeof server->first_request, GRND_NONBLOCK) < 0)
        server->first_request = (uint64_t)time(NULL) << 32;
    server->pool = thread_pool_create(options->pool_threads, LIMIT_WAITING_JOBS);
    server->room = waiting_room_create();
    server->connections = connections_create(options->request_timeout_seconds, connection_limit());
    if (server->pool != NULL && server->room != NULL && server->connections != NULL) {
        *ret_server = server;
        server->daemon = start_daemon(server);
    }
    if (server->daemon != NULL)
        server->acceptor = acceptor_start(server->socket, server->daemon, server->connections);
    if (server->acceptor != NULL)
        return true;
    *ret_server = NULL;
    snprintf(error, error_size, "can't start the threads that serve");
    http_server_destroy(server);
    return false;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

void http_server_wake(struct http_server *server, int64_t key)
{
    waiting_room_wake(server->room, key);
}

void http_server_drain(struct http_server *server, unsigned seconds)
{
    atomic_store(&server->draining, true);
    waiting_room_close(server->room);
    acceptor_deafen(server->acceptor);
    connections_settle(server->connections);
    acceptor_stop(server->acceptor);
    close(server->socket); /* from now on connections are refused */
    server->socket = -1;
    connections_drain(server->connections, seconds);
}
